/** Whether Stripe can still bill late usage: until a period's invoice is final (stripe-facts 8, grace). */

import type { InvoiceBilling } from '../domain/billing.js';
import type { Delivery } from '../domain/delivery.js';
import type { BilledSpan } from '../domain/invoice.js';
import type { CustomerStore } from '../domain/store.js';
import { periodAt, periodEndAt, type Subscription, subscriptionsAt } from '../domain/subscription.js';
import { createBoundedCache } from '../lib/bounded-cache.js';
import type { Clock } from '../lib/host.js';
import { rfc3339 } from '../lib/rfc3339.js';

/** `closed`: no invoice would bill it any more. `waiting`: an invoice that could has not been made yet. */
export type PeriodFinding =
  | { kind: 'billable' }
  | { kind: 'closed'; reason: string }
  | { kind: 'waiting'; reason: string };

/** Says whether a delivery can still be billed. Throws when Stripe has to be asked and cannot be. */
export type PeriodCheck = (delivery: Delivery) => Promise<PeriodFinding>;

/** Asking once a minute and subscription is soon enough. */
const rememberMs = 60_000;

/** But a draft may become final at any moment, and what is sent after that is lost. */
const rememberDraftMs = 5_000;

/** At least so many answers are remembered. */
const rememberedSize = 10_000;

/** Older usage Stripe does not take, and an invoice of younger usage is no older than that. */
const ageMaxMs = 35 * 86_400_000;

/** Stripe makes the draft of a period when that ends; after so long there will be none. */
const draftDueMs = 2 * 3_600_000;

/** Makes a check. Only usage of a period that is over makes it ask Stripe. */
export function createPeriodCheck(deps: {
  store: CustomerStore;
  billing: InvoiceBilling;
  clock: Clock;
}): PeriodCheck {
  const remembered = createBoundedCache<string, { answeredAtMs: number; spans: BilledSpan[] }>(
    rememberedSize,
  );

  async function listBilledSpans({ id }: Subscription): Promise<BilledSpan[]> {
    const nowMs = deps.clock.nowMs();
    const known = remembered.get(id);
    if (known && nowMs < known.answeredAtMs + forMs(known.spans) && nowMs >= known.answeredAtMs)
      return known.spans;
    const spans = await deps.billing.listBilledSpans(id, nowMs - ageMaxMs);
    // A Stripe that takes long to answer is not asked again for it at once.
    remembered.set(id, { answeredAtMs: deps.clock.nowMs(), spans });
    return spans;
  }

  return async ({ customerId, timestampMs, units }) => {
    const subscriptions = (await deps.store.findCustomer(customerId))?.subscriptions ?? [];
    const ran = subscriptionsAt(subscriptions, timestampMs);
    const nowMs = deps.clock.nowMs();
    // Backdated ones may bill what was used before they were made; who never subscribed may do so yet.
    const asked = ran.length > 0 ? ran : subscriptions;
    if (asked.length === 0 || asked.some((each) => isRunning(each, timestampMs, nowMs))) return billable;
    let final: BilledSpan | undefined;
    for (const subscription of asked) {
      const spans = await listBilledSpans(subscription);
      const covering = spans.filter((span) => covers(span, subscription, timestampMs));
      if (covering.some(({ state }) => state === 'draft')) return billable;
      final ??= covering[0];
    }
    if (final) return { kind: 'closed', reason: finalReason(final, units) };
    if (!asked.every((each) => isToldOver(each, timestampMs))) return billable;
    if (ran.length === 0) return { kind: 'closed', reason: nobodyRanReason(timestampMs, units) };
    const overMs = Math.max(...ran.map((each) => periodEndAt(each, timestampMs)));
    if (nowMs < overMs + draftDueMs) return { kind: 'waiting', reason: waitingReason(overMs) };
    return { kind: 'closed', reason: noInvoiceReason(overMs, units) };
  };
}

/** How long an answer holds. */
function forMs(spans: readonly BilledSpan[]): number {
  return spans.some(({ state }) => state === 'draft') ? rememberDraftMs : rememberMs;
}

const billable: PeriodFinding = { kind: 'billable' };

/** Whether the period of the timestamp goes on, so that its invoice is still to come. A cancelled one's last ends with it. */
function isRunning(subscription: Subscription, timestampMs: number, nowMs: number): boolean {
  return subscription.endedAtMs === null && timestampMs >= periodAt(subscription, nowMs).startMs;
}

/** Whether Stripe itself has said that the period of the timestamp is over. The clock here may be ahead. */
function isToldOver({ endedAtMs, period }: Subscription, timestampMs: number): boolean {
  return endedAtMs !== null || timestampMs < period.startMs;
}

/** Whether the line counts that time. The second in which the subscription ended is the last one of its last line. */
function covers({ startMs, endMs }: BilledSpan, { endedAtMs }: Subscription, timestampMs: number): boolean {
  const lastSecondMs = endMs === endedAtMs ? 1_000 : 0;
  return timestampMs >= startMs && timestampMs < endMs + lastSecondMs;
}

/** What would be sent after that would stand on no invoice at all, without anybody being told. */
function finalReason({ endMs }: BilledSpan, units: number): string {
  return (
    `The invoice of its period, which ended at ${rfc3339(endMs)}, is final: Stripe would take these ${units} units and ` +
    `bill them nowhere. ${byHand(units)}`
  );
}

function waitingReason(overMs: number): string {
  return `Its period ended at ${rfc3339(overMs)}, and Stripe has made no invoice of it yet.`;
}

function noInvoiceReason(overMs: number, units: number): string {
  return (
    `Its period ended at ${rfc3339(overMs)} without an invoice, as when a subscription is cancelled at once and not invoiced: ` +
    `Stripe would take these ${units} units and bill them nowhere. ${byHand(units)}`
  );
}

function nobodyRanReason(timestampMs: number, units: number): string {
  return (
    `No subscription of the customer ran at ${rfc3339(timestampMs)}: Stripe would take these ${units} units and bill them ` +
    `nowhere. ${byHand(units)}`
  );
}

function byHand(units: number): string {
  return units < 0
    ? 'Issue a credit note for them, or leave it.'
    : 'Put them on an invoice by hand, or write them off with meterctl usage void.';
}
