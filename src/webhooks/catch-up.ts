/** Reads Stripe's own list of events into the inbox, so that a missed webhook is only late, and none is needed at all. */

import type { EventBilling, EventsAsked } from '../domain/billing.js';
import { MeterctlError } from '../domain/error.js';
import type { Page } from '../domain/page.js';
import type { CheckoutStore, IdentityStore, WebhookStore } from '../domain/store.js';
import type { NewWebhook, WebhookKind } from '../domain/webhook.js';
import type { Host, Log } from '../lib/host.js';
import { turn } from '../lib/turn.js';

/** Stripe keeps events for 30 days (stripe-facts 6). */
const memoryMs = 30 * 86_400_000;

/** Stripe's list trails behind, and its ids are not in order of time: what lies this far back is read again. */
const overlapMs = 10 * 60_000;

/** A list each: one may trail further behind than the other, or be forbidden to the key for a while. */
const markNames: Record<WebhookKind, string> = {
  snapshot: 'events_read_until',
  thin: 'thin_events_read_until',
};

/** When all lists had been read last, by the clock here: an account in which nothing happens has no event to tell that by. */
const readAtName = 'events_read_at';

/** A page that cannot be read is asked for again so often: a refusal on the way must not cost all that was read before it. */
const attemptsMax = 5;

const firstPauseMs = 1_000;

/**
 * How long applied messages are kept: as long as Stripe's list, or somebody who sends them again, can bring them back, and some
 * days more. What is applied again by mistake does no harm.
 */
const keepMs = memoryMs + 5 * 86_400_000;

/** What came of one catch-up. */
export interface CaughtUp {
  /** Events that Stripe listed. */
  read: number;
  /** Those that the inbox did not have. */
  missed: number;
  /** The last catch-up is longer ago than Stripe remembers: there may be changes that no event tells of any more. */
  forgotten: boolean;
  /** Why the key may not read the thin events, which tell of rejected usage; `null` when it may. */
  thinRefusal: string | null;
}

interface CatchUpDeps {
  store: WebhookStore & IdentityStore & Pick<CheckoutStore, 'removeCheckouts'>;
  billing: EventBilling;
  host: Host;
}

/**
 * Reads everything since the youngest event that was read before, with an overlap, page by page into the inbox. Marks are times
 * of Stripe's, so that a clock that jumps here skips nothing. Throws what Stripe's lists throw; only a key that
 * may not read the thin events keeps nobody from the others.
 */
export async function catchUp(
  deps: CatchUpDeps & {
    /** Makes up for what may be forgotten. The mark waits for it: should it fail, the next catch-up knows of the gap as well. */
    fillGap?(): Promise<unknown>;
  },
  signal?: AbortSignal,
): Promise<CaughtUp> {
  const { store, host } = deps;
  const nowMs = host.clock.nowMs();
  const readAtMs = (await findTime(store, readAtName)) ?? (await findTime(store, markNames.snapshot));
  const forgotten = readAtMs !== undefined && readAtMs < nowMs - memoryMs;
  if (forgotten) await deps.fillGap?.();
  const snapshots = await storeAll(deps, 'snapshot', signal);
  const thin = await storeThin(deps, signal);
  await store.recordMark(readAtName, String(nowMs));
  await store.removeWebhooks(nowMs - keepMs);
  // A session is open for a day at most (stripe-facts 5); after so long nobody comes back from one either.
  await store.removeCheckouts(nowMs - keepMs);
  return {
    read: snapshots.read + thin.read,
    missed: snapshots.missed + thin.missed,
    forgotten,
    thinRefusal: thin.refusal,
  };
}

async function storeThin(
  deps: CatchUpDeps,
  signal: AbortSignal | undefined,
): Promise<{ read: number; missed: number; refusal: string | null }> {
  try {
    return { ...(await storeAll(deps, 'thin', signal)), refusal: null };
  } catch (error) {
    if (!(error instanceof MeterctlError && error.code === 'unauthorized')) throw error;
    return { read: 0, missed: 0, refusal: error.message };
  }
}

/** Makes what tells the operator of a `thinRefusal`: once, and again when it is back after it was mended (stripe-facts 10). */
export function createThinNotice(log: Log): (refusal: string | null) => void {
  let told = false;
  return (refusal) => {
    const message =
      'Stripe does not let this key read the events that tell of rejected usage, so only meterctl reconcile finds that: ' +
      'grant a restricted key the permission rak_event_read in the Dashboard';
    if (refusal !== null && !told) log.warn(message, { reason: refusal });
    told = refusal !== null;
  };
}

/**
 * Stores what is new in a list, of which one page at a time is held. Stripe lists the youngest first, so the mark moves when all
 * pages are stored: whatever ends this early, the next one begins where this one did.
 */
async function storeAll(
  deps: CatchUpDeps,
  kind: WebhookKind,
  signal: AbortSignal | undefined,
): Promise<{ read: number; missed: number }> {
  const { store, host } = deps;
  const markMs = (await findTime(store, markNames[kind])) ?? 0;
  const sinceMs = Math.max(0, markMs - overlapMs);
  const sum = { read: 0, missed: 0 };
  let youngestMs = markMs;
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page: Page<NewWebhook> = await readPage(deps, { kind, sinceMs, cursor }, signal);
    for (const event of page.data) {
      const receipt = await store.recordWebhook(event, host.clock.nowMs());
      if (receipt === 'first') sum.missed += 1;
      youngestMs = Math.max(youngestMs, event.createdAtMs);
      // Each is a synced commit, and there may be very many: paid calls must not wait behind a page of them.
      await turn(host.clock);
    }
    sum.read += page.data.length;
    cursor = page.nextCursor;
  }
  if (youngestMs > markMs) await store.recordMark(markNames[kind], String(youngestMs));
  return sum;
}

async function findTime(store: IdentityStore, name: string): Promise<number | undefined> {
  const found = await store.findMark(name);
  if (found === undefined) return undefined;
  const time = Number(found);
  if (Number.isFinite(time)) return time;
  throw new MeterctlError('internal', `The mark ${name} is no time: ${found}.`);
}

/** Reads a page, patiently once there is something to lose: the first of a list is left to whoever tries again later. */
async function readPage(
  { billing, host }: CatchUpDeps,
  asked: EventsAsked,
  signal: AbortSignal | undefined,
): Promise<Page<NewWebhook>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await billing.listEvents(asked);
    } catch (error) {
      const passing = error instanceof MeterctlError && error.code === 'unavailable';
      if (!passing || asked.cursor === undefined || attempt >= attemptsMax || signal?.aborted) throw error;
      await host.clock.sleep(firstPauseMs * 2 ** attempt, signal);
    }
  }
}
