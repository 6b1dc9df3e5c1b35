/** A customer's subscription to the metered price, as Stripe last told it. */

import { type Interval, periodContaining } from '../lib/calendar.js';

/** A span of time `[startMs, endMs)`. */
export interface Period {
  startMs: number;
  endMs: number;
}

/** A subscription with the metered price, as read from Stripe at `readAtMs`. */
export interface Subscription {
  id: string;
  customerId: string;
  /** Stripe's word. The list is open: words unknown here are kept, and give no access. */
  status: string;
  priceId: string;
  itemId: string;
  /** The billing period of the metered item when it was read (periods live on items since basil: stripe-facts 1). */
  period: Period;
  /** How Stripe counts periods: `intervalCount` intervals from `anchorMs`. */
  interval: Interval;
  intervalCount: number;
  anchorMs: number;
  cancelAtMs: number | null;
  cancelAtPeriodEnd: boolean;
  endedAtMs: number | null;
  /** Since when the subscription is past due, as seen here; `null` when it is not. */
  pastDueSinceMs: number | null;
  createdAtMs: number;
  /** When Stripe was asked. */
  readAtMs: number;
  /** Since when it is being cancelled here, so that no more calls come in; ours alone, Stripe does not know it. */
  closingAtMs: number | null;
}

/**
 * The billing period at `atMs`. Beyond the period that Stripe last told, it is counted on from the anchor, so that usage
 * starts a new period in time even when Stripe's message has not come yet.
 */
export function periodAt(subscription: Subscription, atMs: number): Period {
  const { period } = subscription;
  if (atMs >= period.startMs && atMs < period.endMs) return period;
  const counted = periodContaining(
    subscription.anchorMs,
    subscription.interval,
    subscription.intervalCount,
    atMs,
  );
  if (atMs >= period.endMs) return { startMs: Math.max(counted.startMs, period.endMs), endMs: counted.endMs };
  return { startMs: counted.startMs, endMs: Math.min(counted.endMs, period.startMs) };
}

/**
 * When it ends or has ended, as far as is known; `Infinity` when nothing is planned. Stripe's message about the end may be
 * late, but what is used after it stands on no invoice. A portal sets `cancelAtMs` alone, others both (stripe-facts 1).
 */
export function endOf({ endedAtMs, cancelAtMs, cancelAtPeriodEnd, period }: Subscription): number {
  const planned = cancelAtMs ?? (cancelAtPeriodEnd ? period.endMs : Number.POSITIVE_INFINITY);
  return Math.min(endedAtMs ?? Number.POSITIVE_INFINITY, planned);
}

/** Stripe's words for where a subscription stands, as far as this program knows them. Stripe may add others. */
export const statuses: ReadonlySet<string> = new Set([
  'incomplete',
  'incomplete_expired',
  'trialing',
  'active',
  'past_due',
  'canceled',
  'unpaid',
  'paused',
]);

/** Whether Stripe can still bill usage on it: it has begun and has not ended. */
export function isLive(subscription: Subscription): boolean {
  return (
    subscription.endedAtMs === null &&
    !['canceled', 'incomplete', 'incomplete_expired'].includes(subscription.status)
  );
}

/** Whether `one` was made before `other`; of two of the same second one counts as the older, always the same. */
export function isOlder(one: Subscription, other: Subscription): boolean {
  return one.createdAtMs < other.createdAtMs || (one.createdAtMs === other.createdAtMs && one.id < other.id);
}

/** Stripe counts whole seconds, and the one in which a subscription ends still belongs to it. */
const lastSecondMs = 1_000;

/** The subscriptions that ran at a time: Stripe bills a customer's usage on each of them (stripe-facts 2). */
export function subscriptionsAt(subscriptions: readonly Subscription[], atMs: number): Subscription[] {
  return subscriptions.filter(
    ({ createdAtMs, endedAtMs }) =>
      createdAtMs <= atMs && atMs < (endedAtMs ?? Number.POSITIVE_INFINITY) + lastSecondMs,
  );
}

/** When the subscription's part of the billing period at `atMs` ends. */
export function periodEndAt(subscription: Subscription, atMs: number): number {
  return Math.min(periodAt(subscription, atMs).endMs, subscription.endedAtMs ?? Number.POSITIVE_INFINITY);
}

/** The subscription that counts for a customer: a live one before an ended one, then the youngest. */
export function currentSubscription(subscriptions: readonly Subscription[]): Subscription | undefined {
  return [...subscriptions].sort(
    (a, b) =>
      Number(isLive(b)) - Number(isLive(a)) || b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1),
  )[0];
}
