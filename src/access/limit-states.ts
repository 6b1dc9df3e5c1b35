/** How every limit of a caller stands: what a call is refused by, and what its answer says. */

import type { Bound, BoundRefusal, Scope } from './caller-limits.js';
import type { Counter } from './counters.js';
import type { PolicyLine } from './limit-headers.js';
import { callsLeft, callWaitMs } from './rate-limiter.js';
import { endOfTimeMs } from './spans.js';
import type { Standing } from './standing.js';

/** Why a limit refuses. */
export type LimitRefusalCode = BoundRefusal | 'rate_limited';

/** How one limit stands. */
export interface LimitState {
  /** What headers call it. */
  name: string;
  /** What it is, as `RateLimit-Policy` says it. */
  policy: string;
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

/** What limits stand by. */
export interface Stand {
  scopes: readonly Scope[];
  policyLine: PolicyLine;
  /** Those of the scopes' spans, in order; others once a call has outlived their window. */
  counters: readonly Counter[];
  standing: Standing;
  /** Now, by the wall clock and by the steady one. */
  atMs: number;
  steadyMs: number;
}

/**
 * Whether a call of so many units fits into all limits, the cheapest looked at first. It says what `limitStates` would, and
 * makes nothing: it runs for every call.
 */
export function fits({ scopes, counters, standing, steadyMs }: Stand, units: number): boolean {
  for (const scope of scopes) {
    const { maxInFlight, rate } = scope.held;
    if (maxInFlight !== null && standing.inFlight(scope) >= maxInFlight) return false;
    if (rate && callsLeft(rate, standing.debtMs(scope, steadyMs)) < 1) return false;
  }
  // What costs nothing always fits.
  return units === 0 || units <= unitsLeft(scopes, counters);
}

/** How many units fit into all limits beside what is used and held; below zero where a limit was lowered. */
export function unitsLeft(scopes: readonly Scope[], counters: readonly Counter[]): number {
  let left = Number.POSITIVE_INFINITY;
  let index = 0;
  for (const { spans } of scopes) {
    for (const { bounds } of spans) {
      const { committed = 0, reserved = 0 } = counters[index] ?? {};
      index += 1;
      const taken = Math.max(0, committed) + reserved;
      for (const bound of bounds) left = Math.min(left, bound.unitsMax(committed) - taken);
    }
  }
  return left;
}

/** All limits, the cheapest to check first. */
export function limitStates({ scopes, counters, standing, atMs, steadyMs }: Stand): LimitState[] {
  const states: LimitState[] = [];
  for (const scope of scopes) addCallStates(states, scope, standing, steadyMs);
  let index = 0;
  for (const { spans } of scopes) {
    for (const { bounds } of spans) {
      const counter = counters[index];
      index += 1;
      if (counter) addUnitStates(states, bounds, counter, atMs);
    }
  }
  return states;
}

function addCallStates(states: LimitState[], scope: Scope, standing: Standing, steadyMs: number): void {
  const { names, policies, held } = scope;
  const { maxInFlight, rate } = held;
  const refused = 'rate_limited';
  if (maxInFlight !== null) {
    const left = Math.max(0, maxInFlight - standing.inFlight(scope));
    states.push({
      name: names.concurrency,
      policy: policies.concurrency,
      refused,
      counts: 'concurrency',
      quota: maxInFlight,
      windowMs: null,
      left,
      resetMs: null,
      waitMs: 0,
    });
  }
  if (rate) {
    const debtMs = standing.debtMs(scope, steadyMs);
    states.push({
      name: names.rate,
      policy: policies.rate,
      refused,
      counts: 'calls',
      quota: rate.count,
      windowMs: rate.perMs,
      left: callsLeft(rate, debtMs),
      resetMs: debtMs,
      waitMs: callWaitMs(rate, debtMs),
    });
  }
}

function addUnitStates(
  states: LimitState[],
  bounds: readonly Bound[],
  { startMs, endMs, committed, reserved }: Counter,
  atMs: number,
): void {
  const ends = endMs < endOfTimeMs;
  const resetMs = ends ? endMs - atMs : null;
  for (const bound of bounds) {
    const quota = bound.unitsMax(committed);
    const windowMs = ends ? endMs - startMs : null;
    states.push({
      name: bound.name,
      policy: bound.policyOf(quota, windowMs),
      refused: bound.refused,
      counts: 'units',
      quota,
      windowMs,
      left: Math.max(0, quota - Math.max(0, committed) - reserved),
      resetMs,
      waitMs: resetMs,
    });
  }
}
