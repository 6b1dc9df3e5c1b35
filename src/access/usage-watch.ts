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
import { createWatchedMark } from './watched-mark.js';

/** How often it is looked whether another process has recorded usage. */
const lookIntervalMs = 1_000;

/** So many customers are looked at then: other daemons tell of their own calls, and people record few at a time. */
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
  tick(): Promise<void>;
}

/** Makes the watch. Counts that others may have changed are read again, and thresholds that they may have reached are told. */
export function createUsageWatch(
  { store, clock, log, defaults, termsOf, termsReady }: UsageWatchDeps,
  { counters, watch }: { counters: Counters; watch: ThresholdWatch },
): UsageWatch {
  const mark = createWatchedMark({ store, clock });
  let others: number | undefined;
  let lastUsageId: number | undefined;

  /** What was recorded without a call may have reached a threshold, too. */
  async function look(customerId: string): Promise<void> {
    const customer = await store.findCustomer(customerId);
    const priceId = customer && currentSubscription(customer.subscriptions)?.priceId;
    if (!customer || priceId === undefined) return;
    const found = await store.findLimits({ customerId, priceId });
    const price = { id: priceId, termsOf };
    const limits = await withTerms(callerLimits({ customer }, price, found, defaults), termsReady);
    const counted = new CountedLimits(counters, limits).at(clock.nowMs());
    if (counted instanceof Promise) await counted.then(() => look(customerId));
    else watch(limits, counted);
  }

  /** Whose usage came after this row, up to what is the ledger's last one now. */
  async function usersSince(usageId: number | undefined): Promise<Set<string>> {
    const users = new Set<string>();
    const { lastUsageId: newest } = await store.listUsedSince(undefined);
    lastUsageId = usageId ?? newest;
    while (lastUsageId < newest) {
      const used = await store.listUsedSince(lastUsageId);
      lastUsageId = used.lastUsageId;
      for (const id of used.customerIds) users.add(id);
      await turn(clock);
    }
    return users;
  }

  async function tick(): Promise<void> {
    const latest = await store.otherUsage();
    const isFirst = others === undefined;
    const changed = !isFirst && latest !== others;
    const since = isFirst ? await mark.read() : lastUsageId;
    others = latest;
    if (changed) counters.expire();
    const users = [...(await usersSince(isFirst || changed ? since : undefined))];
    for (const customerId of isFirst ? users : users.slice(0, looksMax)) {
      await look(customerId);
      await turn(clock);
    }
    if (lastUsageId !== undefined) await mark.note(lastUsageId);
  }

  const loop = createLoop({ name: 'counts of usage', clock, log, intervalMs: lookIntervalMs, tick });
  return { ...loop, tick };
}
