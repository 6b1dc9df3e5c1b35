/** Watches usage that no call of this process brought, step by step, as calls go on: another process or an operator recorded it. */

import type { Limits } from '../domain/limit.js';
import type { Store } from '../domain/store.js';
import { currentSubscription } from '../domain/subscription.js';
import type { Clock, Log } from '../lib/host.js';
import { createLoop, type Loop } from '../lib/loop.js';
import type { PriceTerms } from '../lib/pricing.js';
import { turn } from '../lib/turn.js';
import { callerLimits, withTerms } from './caller-limits.js';
import { CountedLimits } from './counted-limits.js';
import type { Counters } from './counters.js';
import type { ThresholdWatch } from './threshold-watch.js';
import { createUserSearch } from './user-search.js';

/** How often it is looked whether another process has recorded usage. */
const lookIntervalMs = 1_000;

/** So many customers are looked at then, and the others later: counts must be read anew meanwhile, and alerts be kept. */
const looksMax = 1_000;

/** What watching works with. */
export interface UsageWatchDeps {
  store: Pick<
    Store,
    'findCustomer' | 'findLimits' | 'otherUsage' | 'listUsedSince' | 'findMark' | 'recordMark'
  >;
  clock: Clock;
  log: Log;
  /** Limits of customers where nothing else is set. */
  defaults: Limits;
  termsOf(priceId: string): PriceTerms;
  /** Resolves when `termsOf` knows them, as far as they can be known now. */
  termsReady(priceId: string): Promise<void>;
}

/** The loop that watches. */
export interface UsageWatch extends Loop {
  /** Has the ledger read again if another process has written. The loop does it; this is what tests call. */
  tick(closing?: AbortSignal): Promise<void>;
}

/** Makes the watch. Counts that others may have changed are read again, and thresholds that they may have reached are told. */
export function createUsageWatch(
  { store, clock, log, defaults, termsOf, termsReady }: UsageWatchDeps,
  { counters, watch }: { counters: Counters; watch: ThresholdWatch },
): UsageWatch {
  const search = createUserSearch({ store, clock });
  let others: number | undefined;
  /** Whose usage is new, without those that were looked at already. */
  let waiting = new Set<string>();

  /** What was recorded without a call may have reached a threshold, too. Returns whether all that was reached is told. */
  async function look(customerId: string): Promise<boolean> {
    const customer = await store.findCustomer(customerId);
    const priceId = customer && currentSubscription(customer.subscriptions)?.priceId;
    if (!customer || priceId === undefined) return true;
    const found = await store.findLimits({ customerId, priceId });
    const price = { id: priceId, termsOf };
    const limits = await withTerms(callerLimits({ customer }, price, found, defaults), termsReady);
    const counted = new CountedLimits(counters, limits).at(clock.nowMs());
    return counted instanceof Promise ? counted.then(() => look(customerId)) : watch(limits, counted);
  }

  /** One that cannot be looked at is left out, and does not keep others waiting. */
  async function lookAtWaiting(closing: AbortSignal | undefined): Promise<void> {
    let looks = 0;
    for (const customerId of waiting) {
      if (closing?.aborted || looks === looksMax) return;
      waiting.delete(customerId);
      if (!(await look(customerId))) return void waiting.add(customerId);
      looks += 1;
      await turn(clock);
    }
  }

  async function tick(closing?: AbortSignal): Promise<void> {
    const latest = await store.otherUsage();
    if (others !== undefined && latest !== others) counters.expire();
    others = latest;
    if (waiting.size === 0) waiting = await search.next(latest, closing);
    await lookAtWaiting(closing);
    if (waiting.size === 0) await search.done();
  }

  const loop = createLoop({ name: 'counts of usage', clock, log, intervalMs: lookIntervalMs, tick });
  return { ...loop, tick };
}
