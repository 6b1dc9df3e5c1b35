/** Rates, by the generic cell rate algorithm: one number for each caller says all. */

import type { Rate } from '../domain/limit.js';
import { NumberList } from '../lib/number-list.js';

/** Rounding of fractions of a millisecond must not refuse what is exactly in time. */
const slackMs = 1e-4;

/** Remembers how much of its burst each caller has used up, in time: its debt, which the clock pays off. */
export interface RateLimiter {
  /** The debt of caller `no` at `atMs`: 0 when its burst is whole, `perMs` when all of it is used. */
  debtMs(no: number, rate: Rate, atMs: number): number;
  /** Takes one call from a caller with this debt. */
  take(no: number, rate: Rate, debtMs: number, atMs: number): void;
}

/**
 * Makes a limiter for callers by their numbers: see `NumberList`. `atMs` must never go back: see `createSteadyTime`.
 */
export function createRateLimiter(): RateLimiter {
  /** When each debt will be paid off. */
  const paidAtMs = new NumberList();
  return {
    debtMs(no, rate, atMs) {
      const debtMs = paidAtMs.at(no) - atMs;
      if (debtMs <= rate.perMs) return Math.max(0, debtMs);
      // More than a whole burst is owed only where the rate was another one before.
      paidAtMs.set(no, atMs + rate.perMs);
      return rate.perMs;
    },
    take(no, { count, perMs }, debtMs, atMs) {
      paidAtMs.set(no, atMs + debtMs + perMs / count);
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
