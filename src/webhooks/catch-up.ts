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
}

/** Reads everything since the last catch-up, with an overlap. Throws what Stripe's list throws; the mark stays then. */
export async function catchUp(
  deps: { store: WebhookStore & IdentityStore; billing: EventBilling; host: Host },
): Promise<CaughtUp> {
  const { store, billing, host } = deps;
  const nowMs = host.clock.nowMs();
  const mark = Number((await store.findMark(markName)) ?? nowMs - memoryMs);
  if (!Number.isFinite(mark)) throw new MeterctlError('internal', `The mark ${markName} is no time: ${mark}.`);
  const sinceMs = Math.max(nowMs - memoryMs, Math.min(mark, nowMs) - overlapMs);
  const events = await billing.listEvents(sinceMs);
  let missed = 0;
  for (const event of events) {
    if ((await store.recordWebhook(event, nowMs)) === 'first') missed += 1;
  }
  await store.recordMark(markName, String(nowMs));
  return { read: events.length, missed };
}
