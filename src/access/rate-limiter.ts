/** Rates, by the generic cell rate algorithm: one number for each caller says all. */

import type { Rate } from '../domain/limit.js';
import { NumberList } from '../lib/number-list.js';

/** Rounding of fractions of a millisecond must not refuse what is exactly in time. */
const slackMs = 1e-4;

/** What a call in flight has taken of a rate. */
export interface Take {
  /** The call is refused after all: its caller owes what would be owed if it had never come. */
  giveBack(): void;
  /** The call has ended: what it has taken is spent. */
  end(): void;
}

/**
 * Remembers how much of its burst each caller has used up, in time: its debt, which the clock pays off. Callers go by their
 * numbers, as a store gives them: see `NumberList`. `atMs` must never go back: see `createSteadyTime`.
 */
export class RateLimiter {
  /** When each debt will be paid off. */
  readonly #paidAtMs = new NumberList();
  /** The newest call in flight of each caller. */
  #newest: (LinkedTake | undefined)[] = [];

  /** The debt of caller `no` at `atMs`: 0 when its burst is whole, `perMs` when all of it is used. */
  debtMs(no: number, { perMs }: Rate, atMs: number): number {
    return Math.min(perMs, Math.max(0, this.#paidAtMs.at(no) - atMs));
  }

  /**
   * This is the rate that holds now: of what was taken by another one no more than a burst is still owed. Calls in flight go on
   * by the rate that they were let in with, and must not call this.
   */
  forgive(no: number, { perMs }: Rate, atMs: number): void {
    const forgivenMs = this.#paidAtMs.at(no) - atMs - perMs;
    if (forgivenMs <= 0) return;
    this.#paidAtMs.set(no, atMs + perMs);
    this.#newest[no]?.note(forgivenMs, perMs);
  }

  /** Takes one call from a caller with this debt. */
  take(no: number, { count, perMs }: Rate, debtMs: number, atMs: number): Take {
    const costMs = perMs / count;
    this.#paidAtMs.set(no, atMs + debtMs + costMs);
    const older = this.#newest[no];
    older?.note(0, debtMs);
    const take = new LinkedTake(this, no, costMs, older);
    if (older) older.newer = take;
    this.setNewest(no, take);
    return take;
  }

  /** So much of the debt is gone. Where less than that is left of it, it has been paid off for a while. */
  repay(no: number, backMs: number): void {
    this.#paidAtMs.set(no, this.#paidAtMs.at(no) - backMs);
  }

  /** The call of this caller that has come last, of those in flight. */
  setNewest(no: number, take: LinkedTake | undefined): void {
    if (no >= this.#newest.length) this.#grow(no + 1);
    this.#newest[no] = take;
  }

  /** An array with large gaps would become a slow one. */
  #grow(lengthMin: number): void {
    const { length } = this.#newest;
    const larger = new Array<LinkedTake | undefined>(Math.max(1_024, lengthMin, length * 2)).fill(undefined);
    this.#newest.forEach((take, no) => {
      larger[no] = take;
    });
    this.#newest = larger;
  }
}

/**
 * The calls of a caller that are in flight, in the order in which they came. Debt is the work that waits in a queue, which the
 * clock does at an even pace; a call adds its cost to it. Had it not come, less would wait now: its cost without what of it was
 * forgiven, but no more than the least that was there at any time since, as where the queue ran empty nothing of it was left.
 * Each knows of the time between it and the next one in flight, so that whoever begins or ends has one other to tell, however
 * many there are.
 */
class LinkedTake implements Take {
  readonly #limiter: RateLimiter;
  readonly #no: number;
  readonly #costMs: number;
  older: LinkedTake | undefined;
  newer: LinkedTake | undefined;
  /** How much debt was forgiven in that time, and the least that a call has found in it, or that was left. */
  #forgivenMs = 0;
  #leastMs = Number.POSITIVE_INFINITY;
  #isInFlight = true;

  constructor(limiter: RateLimiter, no: number, costMs: number, older: LinkedTake | undefined) {
    this.#limiter = limiter;
    this.#no = no;
    this.#costMs = costMs;
    this.older = older;
  }

  /** So much was forgiven, and no more than this was owed then. */
  note(forgivenMs: number, debtMs: number): void {
    this.#forgivenMs += forgivenMs;
    this.#leastMs = Math.min(Math.max(0, this.#leastMs - forgivenMs), debtMs);
  }

  giveBack(): void {
    if (!this.#isInFlight) return;
    let backMs = this.#oweLess(this.#costMs);
    for (let take = this.newer; take && backMs > 0; take = take.newer) backMs = take.#oweLess(backMs);
    this.#limiter.repay(this.#no, backMs);
    this.end();
  }

  /** So much less was owed before. Returns how much less that makes after it: of less, less was forgiven. */
  #oweLess(lessMs: number): number {
    const forgivenMs = Math.min(lessMs, this.#forgivenMs);
    this.#forgivenMs -= forgivenMs;
    const restMs = Math.min(lessMs - forgivenMs, this.#leastMs);
    this.#leastMs -= restMs;
    return restMs;
  }

  end(): void {
    if (!this.#isInFlight) return;
    this.#isInFlight = false;
    this.older?.note(this.#forgivenMs, this.#leastMs);
    if (this.older) this.older.newer = this.newer;
    if (this.newer) this.newer.older = this.older;
    else this.#limiter.setNewest(this.#no, this.older);
    // Links of what has ended would keep alive what has ended after it.
    this.older = undefined;
    this.newer = undefined;
  }
}

/** How many calls may come at once. */
export function callsLeft({ count, perMs }: Rate, debtMs: number): number {
  return Math.min(count, Math.floor(((perMs - debtMs + slackMs) * count) / perMs));
}

/** How long the next call must wait; 0 or less when it may come now. */
export function callWaitMs({ count, perMs }: Rate, debtMs: number): number {
  return debtMs + perMs / count - perMs - slackMs;
}
