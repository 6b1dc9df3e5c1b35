/** Lets a call in or refuses it: units are reserved before the work, and settled or given back after it. */

import type { Crossing } from '../domain/alert.js';
import type { ApiKey } from '../domain/key.js';
import type { Limits } from '../domain/limit.js';
import type { Store } from '../domain/store.js';
import { currentSubscription } from '../domain/subscription.js';
import type { Clock, Log } from '../lib/host.js';
import { createLoop, type Loop } from '../lib/loop.js';
import type { PriceTerms } from '../lib/pricing.js';
import { type Caller, type CallerLimits, callerLimits } from './caller-limits.js';
import { CountedLimits } from './counted-limits.js';
import { type Counter, type Counters, createCounters } from './counters.js';
import { type LimitRefusal, refusalBy } from './limit-refusal.js';
import { fits, type Stand } from './limit-states.js';
import { createSteadyTime } from './rate-limiter.js';
import { type Admission, Reservation, type Reserving, unlimited } from './reservation.js';
import { createStanding, type Standing } from './standing.js';
import { createThresholdWatch, type ThresholdWatch } from './threshold-watch.js';

/** How often it is looked whether another process has recorded usage. */
const lookIntervalMs = 1_000;

/** What is asked for. */
export interface AdmissionRequest {
  caller: Caller;
  /** The price of the subscription that gives access. */
  priceId: string;
  /** How many units the call takes, at most where only its end tells. */
  units: number;
  atMs: number;
}

/** What is answered. */
export type Decision = Admission | LimitRefusal;

/** Decides about calls. */
export interface AdmissionControl extends Loop {
  /**
   * Nothing runs between the check and the reservation, so no number of calls at the same time goes beyond a limit. A value
   * where memory has all that it needs, a promise otherwise, which rejects with `unavailable`.
   */
  admit(request: AdmissionRequest): Decision | Promise<Decision>;
  /** Has every count read again: the ledger was written here, but not by a call that was let in. */
  recount(): void;
  /** Has the ledger read again if another process has written. The loop does it; this is what tests call. */
  tick(): Promise<void>;
}

/** What admission works with. */
export interface AdmissionDeps {
  store: Pick<
    Store,
    | 'findCustomer'
    | 'findLimits'
    | 'findPeriodUnits'
    | 'sumWindow'
    | 'sumOthersOpen'
    | 'otherUsage'
    | 'listUsedSince'
  >;
  clock: Clock;
  log: Log;
  /** The meter's event name. */
  meter: string;
  /** Limits of customers where nothing else is set. */
  defaults: Limits;
  termsOf(priceId: string): PriceTerms;
  /** What is told when usage reaches a part of a limit: see `createThresholdWatch`. */
  alerts: { thresholds: readonly number[]; crossed(crossing: Crossing): void };
}

/** Makes admission that has let nobody in. Reservations live in memory alone: after a crash the ledger is what counts. */
export function createAdmission(deps: AdmissionDeps): AdmissionControl {
  const { store, clock, log } = deps;
  const counters = createCounters({ store, clock, meter: deps.meter });
  const standing = createStanding();
  const steady = createSteadyTime();
  const watch = createThresholdWatch({ ...deps.alerts, meter: deps.meter });
  const limitsOf = createLimitReader(deps, { counters, standing, steady, watch });
  let others: number | undefined;
  let lastUsageId: number | undefined;

  function admit(request: AdmissionRequest): Decision | Promise<Decision> {
    const held = limitsOf(request);
    if (held instanceof Promise) return held.then(() => admit(request));
    const { limits } = held;
    if (limits.scopes.length === 0) return unlimited;
    const { atMs, units } = request;
    const counted = held.counted.at(atMs);
    if (counted instanceof Promise) return counted.then(() => admit(request));
    // What this caller's calls add to a count is watched as they settle.
    if (counted !== held.watched) watch(limits, counted);
    held.watched = counted;
    // A request that has waited comes after others that were made later: by its own time the steady one would run too fast.
    const steadyMs = steady(clock.nowMs());
    const stand: Stand = { limits, counters: counted, standing, atMs, steadyMs };
    if (!fits(stand, units)) return refusalBy(stand, units);
    for (const scope of limits.scopes) standing.enter(scope, steadyMs);
    return new Reservation(stand, units, held.reserving);
  }

  /** What was recorded without a call may have reached a threshold, too. */
  async function look(customerId: string): Promise<void> {
    const customer = await store.findCustomer(customerId);
    const priceId = customer && currentSubscription(customer.subscriptions)?.priceId;
    if (!customer || priceId === undefined) return;
    const found = await store.findLimits({ customerId, priceId });
    const limits = callerLimits({ customer }, { id: priceId, termsOf: deps.termsOf }, found, deps.defaults);
    const counted = new CountedLimits(counters, limits).at(clock.nowMs());
    if (counted instanceof Promise) await counted.then(() => look(customerId));
    else watch(limits, counted);
  }

  async function tick(): Promise<void> {
    const latest = await store.otherUsage();
    const changed = others !== undefined && latest !== others;
    others = latest;
    if (changed) counters.expire();
    const used = await store.listUsedSince(changed ? lastUsageId : undefined);
    lastUsageId = used.lastUsageId;
    for (const customerId of used.customerIds) await look(customerId);
  }

  const loop = createLoop({ name: 'counts of usage', clock, log, intervalMs: lookIntervalMs, tick });
  return { ...loop, admit, recount: counters.expire, tick };
}

/** What holds for a caller, and what its reservations ask. */
interface HeldLimits {
  limits: CallerLimits;
  counted: CountedLimits;
  /** The counters that were watched last. */
  watched: readonly Counter[] | undefined;
  reserving: Reserving;
}

/** What all callers have in common. */
interface Shared {
  counters: Counters;
  standing: Standing;
  steady: (nowMs: number) => number;
  watch: ThresholdWatch;
}

/** Limits are read once for each reading of a key: when they change, every key is read anew. */
function createLimitReader(
  { store, clock, termsOf, defaults }: AdmissionDeps,
  { counters, standing, steady, watch }: Shared,
): (request: AdmissionRequest) => HeldLimits | Promise<HeldLimits> {
  const known = new WeakMap<ApiKey, HeldLimits>();

  function hold(limits: CallerLimits): HeldLimits {
    const counted = new CountedLimits(counters, limits);
    const reserving: Reserving = {
      nowMs: () => clock.nowMs(),
      steadyMs: steady,
      countersAt: (nowMs) => counted.at(nowMs),
      settled: (present) => watch(limits, present),
      ended() {
        for (const scope of limits.scopes) standing.leave(scope);
      },
    };
    return { limits, counted, watched: undefined, reserving };
  }

  return ({ caller, priceId }) => {
    const held = known.get(caller.key);
    if (held?.limits.priceId === priceId) return held;
    const places = { keyId: caller.key.id, customerId: caller.customer.id, priceId };
    return store.findLimits(places).then((found) => {
      const limits = callerLimits(caller, { id: priceId, termsOf }, found, defaults);
      const fresh = hold(limits);
      known.set(caller.key, fresh);
      return fresh;
    });
  };
}
