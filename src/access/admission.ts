/** Lets a call in or refuses it: units are reserved before the work, and settled or given back after it. */

import type { Crossing } from '../domain/alert.js';
import { billingPeriodOf } from '../domain/customer.js';
import type { ApiKey } from '../domain/key.js';
import type { Store } from '../domain/store.js';
import { type Caller, type CallerLimits, callerLimits, withTerms } from './caller-limits.js';
import { CountedLimits } from './counted-limits.js';
import { type Counter, type Counters, createCounters } from './counters.js';
import { type LimitRefusal, refusalBy } from './limit-refusal.js';
import { fits, lookAt, type Stand } from './limit-states.js';
import { type Admission, Reservation, type Reserving } from './reservation.js';
import { createStanding } from './standing.js';
import { createSteadyTime } from './steady-time.js';
import { createThresholdWatch, type ThresholdWatch } from './threshold-watch.js';
import { Unlimited } from './unlimited.js';
import { createUsageWatch, type UsageWatch, type UsageWatchDeps } from './usage-watch.js';

/** Who calls, and by which subscription. */
export interface Calling {
  caller: Caller;
  /** The price of the subscription that gives access. */
  priceId: string;
}

/** What is asked for. */
export interface AdmissionRequest extends Calling {
  /** How many units the call takes, at most where only its end tells. */
  units: number;
  atMs: number;
}

/** What is answered. */
export type Decision = Admission | LimitRefusal;

/** Decides about calls. */
export interface AdmissionControl extends UsageWatch {
  /**
   * Nothing runs between the check and the reservation, so no number of calls at the same time goes beyond a limit. A value
   * where memory has all that it needs, a promise otherwise, which rejects with `unavailable`.
   */
  admit(request: AdmissionRequest): Decision | Promise<Decision>;
  /**
   * What an answer says of limits that take nothing for it, as names and values in turn. Rejects with `unavailable` when the
   * ledger cannot be read.
   */
  headers(calling: Calling): Promise<readonly string[]>;
  /** Has every count read again: the ledger was written here, but not by a call that was let in. */
  recount(): void;
}

/** What admission works with. */
export interface AdmissionDeps extends UsageWatchDeps {
  store: UsageWatchDeps['store'] & Pick<Store, 'countUnits'>;
  /** The meter's event name. */
  meter: string;
  /** What is told when usage reaches a part of a limit: see `createThresholdWatch`. */
  alerts: { thresholds: readonly number[]; crossed(crossing: Crossing): boolean };
}

/** Makes admission that has let nobody in. Reservations live in memory alone: after a crash the ledger is what counts. */
export function createAdmission(deps: AdmissionDeps): AdmissionControl {
  const { store, clock } = deps;
  const counters = createCounters({ store, clock, meter: deps.meter });
  const standing = createStanding();
  const steady = createSteadyTime();
  const watch = createThresholdWatch({ ...deps.alerts, meter: deps.meter });
  const limitsOf = createLimitReader(deps, { counters, steady, watch });

  function admit(request: AdmissionRequest): Decision | Promise<Decision> {
    const held = limitsOf(request);
    if (held instanceof Promise) return held.then(() => admit(request));
    const { limits } = held;
    const { atMs, units } = request;
    if (limits.scopes.length === 0) return new Unlimited(atMs, held.reserving);
    const counted = held.counted.at(atMs);
    if (counted instanceof Promise) return counted.then(() => admit(request));
    watchNew(held, counted);
    // A request that has waited comes after others that were made later: by its own time the steady one would run too fast.
    const steadyMs = steady(clock.nowMs());
    const stand: Stand = { limits, counters: counted, standing, atMs, steadyMs };
    standing.forgive(limits.scopes, steadyMs);
    if (!fits(stand, units)) return refusalBy(stand, units);
    return new Reservation(stand, units, held.reserving);
  }

  /** What this caller's calls add to a count is watched as they settle; what was read of it, here. */
  function watchNew(held: HeldLimits, counted: readonly Counter[]): void {
    if (counted !== held.watched && watch(held.limits, counted)) held.watched = counted;
  }

  async function headers(calling: Calling): Promise<readonly string[]> {
    const held = await limitsOf(calling);
    const { limits } = held;
    const atMs = clock.nowMs();
    const present = held.counted.at(atMs);
    if (present instanceof Promise) return present.then(() => headers(calling));
    watchNew(held, present);
    lookAt({ limits, counters: present, standing, atMs, steadyMs: steady(atMs) });
    return limits.headers.list();
  }

  return { ...createUsageWatch(deps, { counters, watch }), admit, headers, recount: counters.expire };
}

/** What holds for a caller, and what its reservations ask. */
interface HeldLimits {
  limits: CallerLimits;
  counted: CountedLimits;
  /** The counters that were watched last, if all that they had reached is told. */
  watched: readonly Counter[] | undefined;
  reserving: Reserving;
}

/** What all callers have in common. */
interface Shared {
  counters: Counters;
  steady: (nowMs: number) => number;
  watch: ThresholdWatch;
}

/** Limits are read once for each reading of a key: when they change, every key is read anew. */
function createLimitReader(
  { store, clock, termsOf, termsReady, defaults }: AdmissionDeps,
  { counters, steady, watch }: Shared,
): (calling: Calling) => HeldLimits | Promise<HeldLimits> {
  const known = new WeakMap<ApiKey, HeldLimits>();

  function hold(limits: CallerLimits, { key, customer }: Caller): HeldLimits {
    const counted = new CountedLimits(counters, limits);
    const reserving: Reserving = {
      nowMs: () => clock.nowMs(),
      steadyMs: steady,
      countersAt: (nowMs) => counted.at(nowMs),
      isOnePeriod: (one, other) =>
        billingPeriodOf(customer, one)?.startMs === billingPeriodOf(customer, other)?.startMs,
      room: () => counted.room,
      settled(units, atMs, present) {
        counters.note(key.no, customer.no, units, atMs, present);
        watch(limits, present);
      },
    };
    return { limits, counted, watched: undefined, reserving };
  }

  async function read({ caller, priceId }: Calling): Promise<HeldLimits> {
    const places = { keyId: caller.key.id, customerId: caller.customer.id, priceId };
    const found = await store.findLimits(places);
    const limits = callerLimits(caller, { id: priceId, termsOf }, found, defaults);
    const fresh = hold(await withTerms(limits, termsReady), caller);
    known.set(caller.key, fresh);
    return fresh;
  }

  return (calling) => {
    const held = known.get(calling.caller.key);
    return held?.limits.priceId === calling.priceId ? held : read(calling);
  };
}
