/** How every limit of a caller stands: what a call is refused by, and what its answer says. */

import type { BoundRefusal, Scope } from './caller-limits.js';
import type { Counter } from './counters.js';
import { callsLeft, callWaitMs } from './rate-limiter.js';
import { endOfTimeMs } from './spans.js';
import type { Standing } from './standing.js';

/** Why a limit refuses. */
export type LimitRefusalCode = BoundRefusal | 'rate_limited';

/** How one limit stands. */
export interface LimitState {
  /** What headers call it. */
  name: string;
  refused: LimitRefusalCode;
  /** What it counts: calls in flight, calls, or units. */
  counts: 'concurrency' | 'calls' | 'units';
  /** What it allows. */
  quota: number;
  /** Over how long; `null` where time changes nothing. */
  windowMs: number | null;
  left: number;
  /** From when on all of it is allowed again, in milliseconds from now; `null` as above. */
  resetMs: number | null;
  /** How long one more call must wait if it is refused; `null` where waiting is no help. */
  waitMs: number | null;
}

/** Now, by the wall clock and by the steady one. */
export interface Moment {
  atMs: number;
  steadyMs: number;
}

/** All limits, the cheapest to check first. `counters` are those of the scopes' spans, in order. */
export function limitStates(
  scopes: readonly Scope[],
  counters: readonly Counter[],
  standing: Standing,
  now: Moment,
): LimitState[] {
  const states: LimitState[] = [];
  for (const scope of scopes) addCallStates(states, scope, standing, now.steadyMs);
  let index = 0;
  for (const { spans } of scopes) {
    for (const { bounds } of spans) {
      const counter = counters[index];
      index += 1;
      if (!counter) continue;
      const { startMs, endMs, committed, reserved } = counter;
      const ends = endMs < endOfTimeMs;
      const resetMs = ends ? endMs - now.atMs : null;
      for (const { name, refused, unitsMax } of bounds) {
        const quota = unitsMax(committed);
        const left = Math.max(0, quota - Math.max(0, committed) - reserved);
        const windowMs = ends ? endMs - startMs : null;
        states.push({ name, refused, counts: 'units', quota, windowMs, left, resetMs, waitMs: resetMs });
      }
    }
  }
  return states;
}

function addCallStates(states: LimitState[], scope: Scope, standing: Standing, steadyMs: number): void {
  const { prefix, held } = scope;
  const { maxInFlight, rate } = held;
  if (maxInFlight !== null) {
    const left = Math.max(0, maxInFlight - standing.inFlight(scope));
    const name = `${prefix}concurrency`;
    states.push({
      ...{ name, refused: 'rate_limited', counts: 'concurrency', quota: maxInFlight, left },
      ...{ windowMs: null, resetMs: null, waitMs: 0 },
    });
  }
  if (rate) {
    const debtMs = standing.debtMs(scope, steadyMs);
    states.push({
      ...{ name: `${prefix}rate`, refused: 'rate_limited', counts: 'calls', quota: rate.count },
      ...{ windowMs: rate.perMs, left: callsLeft(rate, debtMs), resetMs: debtMs },
      waitMs: callWaitMs(rate, debtMs),
    });
  }
}
