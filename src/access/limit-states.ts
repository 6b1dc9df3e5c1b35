/** How every limit of a caller stands: what a call is refused by, and what its answer says. */

import type { Bound, BoundRefusal, CallerLimits, Scope } from './caller-limits.js';
import type { Counter } from './counters.js';
import { policyText } from './limit-headers.js';
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
  limits: CallerLimits;
  /** Those of the scopes' spans, in order; others once a call has outlived their window. */
  counters: readonly Counter[];
  standing: Standing;
  /** Now, by the wall clock and by the steady one. */
  atMs: number;
  steadyMs: number;
}

/** A limit that nobody has looked at. */
export function newState(
  name: string,
  kind: Pick<LimitState, 'refused' | 'counts'>,
  { quota, windowMs, unit }: { quota: number; windowMs: number | null; unit?: string },
): LimitState {
  const { refused, counts } = kind;
  const policy = policyText(name, quota, windowMs, unit);
  return { name, policy, refused, counts, quota, windowMs, left: quota, resetMs: null, waitMs: null };
}

/**
 * Whether a call of so many units fits into all limits, the cheapest looked at first. It says what `lookAt` would, and
 * changes nothing: it runs for every call.
 */
export function fits({ limits, counters, standing, steadyMs }: Stand, units: number): boolean {
  for (const scope of limits.scopes) {
    const { maxInFlight, rate } = scope.held;
    if (maxInFlight !== null && standing.inFlight(scope) >= maxInFlight) return false;
    if (rate && callsLeft(rate, standing.debtMs(scope, steadyMs)) < 1) return false;
  }
  // What costs nothing always fits.
  return units === 0 || units <= unitsLeft(limits.scopes, counters);
}

/**
 * How many units fit into all limits beside what is used and held; below zero where a limit was lowered. Limits by the counters
 * that are to be passed over do not matter.
 */
export function unitsLeft(
  scopes: readonly Scope[],
  counters: readonly Counter[],
  passedOver?: readonly Counter[],
): number {
  let left = Number.POSITIVE_INFINITY;
  let index = 0;
  for (const { spans } of scopes) {
    for (const { bounds } of spans) {
      const counter = counters[index];
      index += 1;
      if (!counter || passedOver?.includes(counter)) continue;
      const taken = takenOf(counter);
      for (const bound of bounds) left = Math.min(left, bound.unitsMax(counter.committed) - taken);
    }
  }
  return left;
}

/** What nobody else can have of a count. One that corrections have taken below zero leaves no more than the limit allows. */
function takenOf({ committed, reserved, heldByOthers }: Counter): number {
  return Math.max(0, committed) + reserved + heldByOthers;
}

/**
 * Brings the states of the caller's limits up to date. They are the caller's own and stay the same objects, since new ones
 * for every call cost more than all the rest of a limit: whoever looks reads them before anybody else can look.
 */
export function lookAt({ limits, counters, standing, atMs, steadyMs }: Stand): void {
  let index = 0;
  for (const scope of limits.scopes) {
    lookAtCalls(scope, standing, steadyMs);
    for (const { bounds } of scope.spans) {
      const counter = counters[index];
      index += 1;
      if (counter) lookAtUnits(bounds, counter, atMs);
    }
  }
}

function lookAtCalls(scope: Scope, standing: Standing, steadyMs: number): void {
  const { held, concurrency, rate } = scope;
  if (concurrency) {
    concurrency.left = Math.max(0, concurrency.quota - standing.inFlight(scope));
    concurrency.waitMs = 0;
  }
  if (rate && held.rate) {
    const debtMs = standing.debtMs(scope, steadyMs);
    rate.left = callsLeft(held.rate, debtMs);
    rate.resetMs = debtMs;
    rate.waitMs = callWaitMs(held.rate, debtMs);
  }
}

function lookAtUnits(bounds: readonly Bound[], counter: Counter, atMs: number): void {
  const { startMs, endMs, committed } = counter;
  const ends = endMs < endOfTimeMs;
  // A call may outlive the window that it began in.
  const resetMs = ends ? Math.max(0, endMs - atMs) : null;
  const windowMs = ends ? endMs - startMs : null;
  for (const { state, unitsMax } of bounds) {
    const quota = unitsMax(committed);
    if (state.quota !== quota || state.windowMs !== windowMs) {
      state.quota = quota;
      state.windowMs = windowMs;
      state.policy = policyText(state.name, quota, windowMs);
    }
    state.left = Math.max(0, quota - takenOf(counter));
    state.resetMs = resetMs;
    state.waitMs = resetMs;
  }
}
