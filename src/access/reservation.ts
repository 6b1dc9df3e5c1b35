/** The units that one call holds of its limits, from its admission to its end. */

import type { Counter } from './counters.js';
import { limitHeaders } from './limit-headers.js';
import { type LimitRefusal, refusalBy } from './limit-refusal.js';
import { limitStates, type Stand, unitsLeft } from './limit-states.js';

/** A call that was let in. */
export interface Admission {
  /** What the answer says of limits, as they stand when this is called. */
  headers(): Record<string, string>;
  /** Holds so many units in all or, saying why they do not fit, no more than before. */
  hold(units: number): LimitRefusal | undefined;
  /** Holds so many units in all, or as many as the limits leave now. Returns how many are held. */
  holdUpTo(units: number): number;
  /**
   * The ledger has the call with so many units, used at that time where it is not that of the request. To be called as the
   * first thing that follows the commit, so that no count is read in between.
   */
  settle(units: number, atMs?: number): void;
  /** The call has ended: gives back what it still holds. */
  release(): void;
}

/** A call that no limit holds for. */
export const unlimited = {
  headers: () => ({}),
  hold: () => undefined,
  holdUpTo: (units: number) => units,
  settle: () => undefined,
  release: () => undefined,
} satisfies Admission;

/** What a reservation asks of admission, and tells it. */
export interface Reserving {
  nowMs(): number;
  /** The counters of the limits at a time, in order; no list while some of them are being read. */
  countersAt(nowMs: number): Counter[] | Promise<unknown>;
  settled(): void;
  ended(): void;
}

/** Holds units of the counters for one call, which must fit. */
export function reserve(stand: Stand, units: number, call: Reserving): Admission {
  let held = 0;
  let running = true;

  function take(more: number): void {
    for (const counter of stand.counters) counter.reserved += more;
    held += more;
  }

  /**
   * An hour or a period may have ended while the call runs: what it holds goes along into the next one. One that is being
   * read has been used by nobody here so far, and is looked at again with the next units.
   */
  function follow(atMs: number): void {
    const present = call.countersAt(atMs);
    if (!Array.isArray(present)) return;
    const before = held;
    take(-before);
    stand.counters = present;
    take(before);
  }

  function count(used: number): void {
    for (const counter of stand.counters) {
      counter.reserved -= held;
      counter.committed += used;
    }
    held = 0;
  }

  take(units);
  return {
    headers: () => limitHeaders(limitStates(stand)),
    hold(wanted) {
      const more = Math.max(0, wanted - held);
      if (more > 0 && more > unitsLeft(stand.scopes, stand.counters)) return refusalOf(stand, held, wanted);
      take(more);
      return undefined;
    },
    holdUpTo(wanted) {
      if (wanted <= held) return held;
      follow(call.nowMs());
      take(Math.max(0, Math.min(wanted - held, unitsLeft(stand.scopes, stand.counters))));
      return held;
    },
    settle(used, atMs) {
      if (atMs !== undefined) follow(atMs);
      count(used);
      call.settled();
    },
    release() {
      if (!running) return;
      running = false;
      count(0);
      call.ended();
    },
  };
}

/** Why so many units do not fit, told without those that the call holds itself. */
function refusalOf(stand: Stand, held: number, wanted: number): LimitRefusal {
  const counters = stand.counters.map((counter) => ({ ...counter, reserved: counter.reserved - held }));
  return refusalBy(limitStates({ ...stand, counters }), wanted, 0);
}
