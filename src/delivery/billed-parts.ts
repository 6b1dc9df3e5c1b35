/** Cuts a range where invoices end: what one of them lacks, another does not make good. */

import { type Period, periodAt, type Subscription } from '../domain/subscription.js';
import { minuteMs } from './narrow.js';

/**
 * The parts of the range between the ends of billing periods and of subscriptions, in order. They are cut on whole minutes,
 * which Stripe counts by (stripe-facts 3f); the range is one part where nothing ends in it.
 */
export function billedParts(subscriptions: readonly Subscription[], range: Period): Period[] {
  const cuts = subscriptions
    .flatMap((subscription) => edgesWithin(subscription, range))
    .map((atMs) => Math.floor(atMs / minuteMs) * minuteMs)
    .filter((atMs) => atMs > range.startMs);
  const starts = [...new Set([range.startMs, ...cuts])].sort((a, b) => a - b);
  return starts.map((startMs, n) => ({ startMs, endMs: starts[n + 1] ?? range.endMs }));
}

/** When it begins, when its periods end, and when it ends, as far as that is within the range. */
function edgesWithin(subscription: Subscription, range: Period): number[] {
  const { createdAtMs, endedAtMs } = subscription;
  const endMs = Math.min(range.endMs, endedAtMs ?? range.endMs);
  const edges: number[] = [];
  for (
    let atMs = Math.max(range.startMs, createdAtMs);
    atMs < endMs;
    atMs = periodAt(subscription, atMs).endMs
  )
    edges.push(atMs);
  if (endedAtMs !== null && endedAtMs >= range.startMs && endedAtMs < range.endMs) edges.push(endedAtMs);
  return edges;
}
