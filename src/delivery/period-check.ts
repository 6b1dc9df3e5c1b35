/** Whether Stripe can still bill late usage: until a period's invoice is final (stripe-facts 8, grace). */

import type { InvoiceBilling } from '../domain/billing.js';
import type { Delivery } from '../domain/delivery.js';
import type { CustomerStore } from '../domain/store.js';
import { periodAt, type Subscription, subscriptionAt } from '../domain/subscription.js';
import type { Clock } from '../lib/host.js';
import { rfc3339 } from '../lib/rfc3339.js';

/** Says why a delivery can no longer be billed; `undefined` when it can. Throws when Stripe has to be asked and cannot be. */
export type PeriodCheck = (delivery: Delivery) => Promise<string | undefined>;

/** An invoice stays a draft for about an hour; asking once a minute and subscription is soon enough. */
const rememberMs = 60_000;

/** At most so many answers are remembered. */
const rememberedMax = 10_000;

/** Whether the period of the timestamp goes on, so that its invoice is still to come. A cancelled one's last ends with it. */
function isRunning(subscription: Subscription, timestampMs: number, nowMs: number): boolean {
  return subscription.endedAtMs === null && timestampMs >= periodAt(subscription, nowMs).startMs;
}

/**
 * Makes a check. Only usage of a period that is over makes it ask Stripe: what would be sent after the invoice is final
 * would stand on no invoice at all, without anybody being told.
 */
export function createPeriodCheck(deps: {
  store: CustomerStore;
  billing: InvoiceBilling;
  clock: Clock;
}): PeriodCheck {
  const billedUntil = new Map<string, { answeredAtMs: number; untilMs: number }>();

  async function findBilledUntil(subscriptionId: string, priceId: string): Promise<number> {
    const nowMs = deps.clock.nowMs();
    const known = billedUntil.get(subscriptionId);
    if (known && nowMs - known.answeredAtMs < rememberMs && nowMs >= known.answeredAtMs) return known.untilMs;
    const untilMs = (await deps.billing.findBilledUntil(subscriptionId, priceId)) ?? 0;
    if (billedUntil.size >= rememberedMax) billedUntil.clear();
    // A Stripe that takes long to answer is not asked again for it at once.
    billedUntil.set(subscriptionId, { answeredAtMs: deps.clock.nowMs(), untilMs });
    return untilMs;
  }

  return async ({ customerId, timestampMs, units }) => {
    const customer = await deps.store.findCustomer(customerId);
    const subscription = customer && subscriptionAt(customer.subscriptions, timestampMs);
    if (!subscription || isRunning(subscription, timestampMs, deps.clock.nowMs())) return undefined;
    const untilMs = await findBilledUntil(subscription.id, subscription.priceId);
    if (timestampMs >= untilMs) return undefined;
    return (
      `The invoice of its period, which ended at ${rfc3339(untilMs)}, is final: Stripe would take these ${units} units and ` +
      `bill them nowhere. Put them on an invoice by hand, or write them off.`
    );
  };
}
