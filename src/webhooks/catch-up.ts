/** Reads Stripe's own list of events into the inbox, so that a missed webhook is only late, and none is needed at all. */

import type { EventBilling } from '../domain/billing.js';
import { MeterctlError } from '../domain/error.js';
import type { IdentityStore, WebhookStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';

/** Stripe keeps events for 30 days (stripe-facts 6). */
const memoryMs = 30 * 86_400_000;

/** Stripe's list trails behind, and its ids are not in order of time: what lies this far back is read again. */
const overlapMs = 10 * 60_000;

const markName = 'events_read_until';

/** What came of one catch-up. */
export interface CaughtUp {
  /** Events that Stripe listed. */
  read: number;
  /** Those that the inbox did not have. */
  missed: number;
  /** The last catch-up is longer ago than Stripe remembers: there may be changes that no event tells of any more. */
  forgotten: boolean;
}

/**
 * Reads everything since the youngest event that was read before, with an overlap. The mark is a time of Stripe's, so that a
 * clock that jumps here skips nothing. Throws what Stripe's list throws; the mark stays then.
 */
export async function catchUp(deps: {
  store: WebhookStore & IdentityStore;
  billing: EventBilling;
  host: Host;
  /** Makes up for what may be forgotten. The mark waits for it: should it fail, the next catch-up knows of the gap as well. */
  fillGap?(): Promise<unknown>;
}): Promise<CaughtUp> {
  const { store, billing, host } = deps;
  const nowMs = host.clock.nowMs();
  const found = await store.findMark(markName);
  const mark = Number(found ?? 0);
  if (!Number.isFinite(mark))
    throw new MeterctlError('internal', `The mark ${markName} is no time: ${found}.`);
  const events = await billing.listEvents(Math.max(0, mark - overlapMs));
  let missed = 0;
  for (const event of events) {
    if ((await store.recordWebhook(event, nowMs)) === 'first') missed += 1;
  }
  const forgotten = found !== undefined && mark < nowMs - memoryMs;
  if (forgotten) await deps.fillGap?.();
  const youngestMs = Math.max(mark, ...events.slice(-1).map(({ createdAtMs }) => createdAtMs));
  await store.recordMark(markName, String(youngestMs));
  return { read: events.length, missed, forgotten };
}
