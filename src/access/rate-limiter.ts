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
    const debtMs = this.#paidAtMs.at(no) - atMs;
    if (debtMs <= perMs) return Math.max(0, debtMs);
    // More than a whole burst is owed only where the rate was another one before.
    this.#paidAtMs.set(no, atMs + perMs);
    forgive(this.#newest[no], debtMs - perMs, perMs);
    return perMs;
  }

  /** Takes one call from a caller with this debt. */
  take(no: number, { count, perMs }: Rate, debtMs: number, atMs: number): Take {
    const costMs = perMs / count;
    this.#paidAtMs.set(no, atMs + debtMs + costMs);
    const older = this.#newest[no];
    lower(older, debtMs);
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
 * clock does at an even pace; a call adds its cost to it. Had it not come, less would wait now: its cost, but no more than the
 * least that was there at any time since, as where the queue ran empty nothing of it was left. So the least that any later call
 * has found is kept for each. Of two calls the newer one never has the smaller one.
 */
class LinkedTake implements Take {
  readonly #limiter: RateLimiter;
  readonly #no: number;
  /** The debt that it has made. */
  costMs: number;
  /** The least debt that a call after it has found. */
  leastMs = Number.POSITIVE_INFINITY;
  older: LinkedTake | undefined;
  newer: LinkedTake | undefined;
  #isInFlight = true;

  constructor(limiter: RateLimiter, no: number, costMs: number, older: LinkedTake | undefined) {
    this.#limiter = limiter;
    this.#no = no;
    this.costMs = costMs;
    this.older = older;
  }

  giveBack(): void {
    if (!this.#isInFlight) return;
    const backMs = Math.min(this.costMs, this.leastMs);
    // Those after it would have found less debt, and those before it would have seen less after them.
    for (let take = this.newer; take; take = take.newer) take.leastMs -= backMs;
    lower(this.older, this.leastMs - backMs);
    this.#limiter.repay(this.#no, backMs);
    this.end();
  }

  end(): void {
    if (!this.#isInFlight) return;
    this.#isInFlight = false;
    if (this.older) this.older.newer = this.newer;
    if (this.newer) this.newer.older = this.older;
    else this.#limiter.setNewest(this.#no, this.older);
    // Links of what has ended would keep alive what has ended after it.
    this.older = undefined;
    this.newer = undefined;
  }
}

/** Only so much was owed when a call came after these. */
function lower(newest: LinkedTake | undefined, debtMs: number): void {
  for (let take = newest; take && take.leastMs > debtMs; take = take.older) take.leastMs = debtMs;
}

/** Of what was owed only so much is left. What its calls were forgiven they cannot give back. */
function forgive(newest: LinkedTake | undefined, forgivenMs: number, debtMs: number): void {
  for (let take = newest; take; take = take.older) {
    take.costMs = Math.max(0, Math.min(take.costMs, take.leastMs) - forgivenMs);
    take.leastMs = debtMs;
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
