/** Usage that Stripe has counted and bills nowhere, because its subscription was ended without a final invoice (stripe-facts 8). */

import type { InvoiceBilling } from '../domain/billing.js';
import type { Customer } from '../domain/customer.js';
import { type Drift, sumSpans } from '../domain/reconciliation.js';
import type { ReconciliationStore } from '../domain/store.js';
import { type Period, type Subscription, subscriptionsAt } from '../domain/subscription.js';

/** What it needs. */
export interface UninvoicedDeps {
  store: Pick<ReconciliationStore, 'sumStamped'>;
  billing: Pick<InvoiceBilling, 'listBilledSpans'>;
  /** The meter's event name. */
  meter: string;
}

/**
 * Finds what of the range was delivered for subscriptions that have ended within a period, and is on no invoice that
 * stands. Only what cancels them at once, in the Dashboard for instance, or voids their last invoice leaves such usage. Throws when Stripe cannot be asked.
 */
export async function findUninvoiced(
  deps: UninvoicedDeps,
  customer: Customer,
  range: Period,
): Promise<Drift[]> {
  const found: Drift[] = [];
  for (const subscription of customer.subscriptions) {
    const span = lastSpanOf(subscription, customer.subscriptions);
    if (!span) continue;
    const within = {
      startMs: Math.max(span.startMs, range.startMs),
      endMs: Math.min(span.endMs, range.endMs),
    };
    if (within.startMs >= within.endMs) continue;
    const units = await sumDelivered(deps, customer.id, within);
    if (units <= 0 || (await isInvoiced(deps, subscription.id, span))) continue;
    const counts = { ledger: units, pending: 0, stripe: 0 };
    found.push({ customerId: customer.id, ...within, ...counts, cause: 'not_invoiced', deliveryIds: [] });
  }
  return found;
}

/** The last period of one that has ended before that was over, unless another subscription bills it as well. */
function lastSpanOf(
  { id, period, endedAtMs }: Subscription,
  all: readonly Subscription[],
): Period | undefined {
  if (endedAtMs === null || endedAtMs >= period.endMs || endedAtMs <= period.startMs) return undefined;
  if (subscriptionsAt(all, endedAtMs - 1).some((other) => other.id !== id)) return undefined;
  return { startMs: period.startMs, endMs: endedAtMs };
}

async function sumDelivered(
  { store, meter }: UninvoicedDeps,
  customerId: string,
  span: Period,
): Promise<number> {
  const stepMs = span.endMs - span.startMs;
  const steps = await store.sumStamped({ customerId, meter, ...span }, { stepMs, settledBeforeMs: Infinity });
  return sumSpans(span, steps).delivered;
}

async function isInvoiced(
  { billing }: UninvoicedDeps,
  subscriptionId: string,
  span: Period,
): Promise<boolean> {
  const billed = await billing.listBilledSpans(subscriptionId, span.startMs);
  return billed.some(
    ({ startMs, endMs, state }) => state !== 'void' && startMs < span.endMs && endMs >= span.endMs,
  );
}
