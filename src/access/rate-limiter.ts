/** Rates, by the generic cell rate algorithm: one number for each caller says all. */

import type { Rate } from '../domain/limit.js';

/** Rounding of fractions of a millisecond must not refuse what is exactly in time. */
const slackMs = 1e-4;

/** Callers to begin with. */
const callersMin = 1024;

/** Remembers how much of its burst each caller has used up, in time: its debt, which the clock pays off. */
export interface RateLimiter {
  /** The debt of caller `no` at `atMs`: 0 when its burst is whole, `perMs` when all of it is used. */
  debtMs(no: number, rate: Rate, atMs: number): number;
  /** Takes one call from a caller with this debt. */
  take(no: number, rate: Rate, debtMs: number, atMs: number): void;
}

/**
 * Makes a limiter. Callers are numbered from 1 without large gaps, as a store numbers its rows, so that a million of them
 * take 8 MB. `atMs` must never go back: see `createSteadyTime`.
 */
export function createRateLimiter(): RateLimiter {
  /** When each debt will be paid off. */
  let paidAtMs = new Float64Array(callersMin);
  return {
    debtMs(no, rate, atMs) {
      const debtMs = (paidAtMs[no] ?? 0) - atMs;
      if (debtMs <= rate.perMs) return Math.max(0, debtMs);
      // More than a whole burst is owed only where the rate was another one before.
      paidAtMs[no] = atMs + rate.perMs;
      return rate.perMs;
    },
    take(no, { count, perMs }, debtMs, atMs) {
      if (no >= paidAtMs.length) {
        const larger = new Float64Array(Math.max(no + 1, paidAtMs.length * 2));
        larger.set(paidAtMs);
        paidAtMs = larger;
      }
      paidAtMs[no] = atMs + debtMs + perMs / count;
    },
  };
}

/** How many calls may come at once. */
export function callsLeft({ count, perMs }: Rate, debtMs: number): number {
  return Math.min(count, Math.floor(((perMs - debtMs + slackMs) * count) / perMs));
}

/** How long the next call must wait; 0 or less when it may come now. */
export function callWaitMs({ count, perMs }: Rate, debtMs: number): number {
  return debtMs + perMs / count - perMs - slackMs;
}

/**
 * Turns the wall clock into time that only goes on. While the clock goes back it stands still: nobody is locked out until
 * the old time comes again, and nobody gets a new burst. A clock that leaps ahead fills a burst once, as waiting would have.
 */
export function createSteadyTime(): (nowMs: number) => number {
  let lastMs: number | undefined;
  let steadyMs = 0;
  return (nowMs) => {
    steadyMs += Math.max(0, nowMs - (lastMs ?? nowMs));
    lastMs = nowMs;
    return steadyMs;
  };
}
