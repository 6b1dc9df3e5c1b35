/** The units that one call holds of its limits, from its admission to its end. */

import type { Room } from '../domain/room.js';
import type { Counter } from './counters.js';
import { type LimitRefusal, refusalBy } from './limit-refusal.js';
import { lookAt, type Stand, unitsLeft } from './limit-states.js';
import type { Take } from './rate-limiter.js';

/** A call that was let in. */
export interface Admission {
  /** What the answer says of limits, as they stand when this is called: names and values in turn. */
  headers(): readonly string[];
  /**
   * Holds so many units in all. Where they do not fit it says why, and the call is refused: it holds no more than before, and
   * has taken nothing of rates.
   */
  hold(units: number): LimitRefusal | undefined;
  /** Holds so many units in all, or as many as the limits leave now. Returns how many are held. */
  holdUpTo(units: number): number;
  /** How many units are held. */
  readonly held: number;
  /**
   * The time at which what it holds is used: that of the last units, or a little earlier where the hour that has begun since is
   * still being read. Nothing where no limit holds.
   */
  readonly atMs: number | undefined;
  /** What the ledger must leave for the call's usage, which is written with it. */
  readonly room: Room | undefined;
  /**
   * The ledger has no room for so many units at that time: other processes have sold them. Counts anew and refuses the call as
   * `hold` does, or says nothing where there is room again. Rejects with `unavailable` when the ledger cannot be read.
   */
  lookAgain(units: number, atMs: number): Promise<LimitRefusal | undefined>;
  /**
   * The ledger has the call with so many units, used at that time where it is not that of the request. To be called as the
   * first thing that follows the commit, so that no count is read in between.
   */
  settle(units: number, atMs?: number): void;
  /** The call is not sold for a reason that is none of its own: it has taken nothing of rates. */
  excuse(): void;
  /** The call has ended: gives back what it still holds. */
  release(): void;
}

/** What the reservations of a caller ask of admission, and tell it. */
export interface Reserving {
  nowMs(): number;
  /** The steady time that belongs to it: see `createSteadyTime`. */
  steadyMs(nowMs: number): number;
  /** The counters of the limits at a time, in order; no list while some of them are being read. */
  countersAt(nowMs: number): readonly Counter[] | Promise<unknown>;
  /** Whether both times lie in one billing period. */
  isOnePeriod(oneMs: number, otherMs: number): boolean;
  /** What belongs to the counters that were asked for last. */
  room(): Room | undefined;
  /** The ledger has so many units more, used at that time, and these counters have them. */
  settled(units: number, atMs: number, counters: readonly Counter[]): void;
}

/** Holds units of the counters for one call, which must fit. */
export class Reservation implements Admission {
  readonly #stand: Stand;
  readonly #caller: Reserving;
  readonly #madeAtMs: number;
  readonly #takes: readonly Take[];
  #room: Room | undefined;
  #atMs: number;
  #held = 0;
  /** How many units it had come to at `#atMs`. */
  #told = 0;
  #isRunning = true;

  constructor(stand: Stand, units: number, caller: Reserving) {
    this.#stand = stand;
    this.#caller = caller;
    this.#room = caller.room();
    this.#madeAtMs = stand.atMs;
    this.#atMs = stand.atMs;
    this.#takes = stand.standing.enter(stand.limits.scopes, stand.steadyMs);
    this.#enter(stand.counters);
    this.#take(units);
  }

  headers(): readonly string[] {
    const stand = this.#present();
    lookAt(stand);
    return stand.limits.headers.list();
  }

  hold(units: number): LimitRefusal | undefined {
    const more = Math.max(0, units - this.#held);
    if (more > 0 && more > this.#left()) return this.#refusal(units);
    this.#take(more);
    return undefined;
  }

  holdUpTo(units: number): number {
    const nowMs = this.#caller.nowMs();
    const isMore = units !== this.#told || units > this.#held;
    if ((isMore || !this.#caller.isOnePeriod(this.#atMs, nowMs)) && this.#follow(nowMs)) this.#told = units;
    if (units > this.#held) this.#take(Math.max(0, Math.min(units - this.#held, this.#left())));
    return this.#held;
  }

  get held(): number {
    return this.#held;
  }

  get atMs(): number {
    return this.#atMs;
  }

  get room(): Room | undefined {
    return this.#room;
  }

  async lookAgain(units: number, atMs: number): Promise<LimitRefusal | undefined> {
    for (const counter of this.#stand.counters) counter.fresh = false;
    let present = this.#caller.countersAt(atMs);
    while (present instanceof Promise) {
      await present;
      present = this.#caller.countersAt(atMs);
    }
    this.#follow(atMs);
    this.#room = this.#caller.room();
    return units - this.#held > this.#left() ? this.#refusal(units) : undefined;
  }

  settle(units: number, atMs?: number): void {
    if (atMs !== undefined) this.#follow(atMs);
    this.#count(units);
    this.#caller.settled(units, atMs ?? this.#madeAtMs, this.#stand.counters);
  }

  excuse(): void {
    for (const take of this.#takes) take.giveBack();
  }

  release(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    if (this.#held > 0) this.#count(0);
    this.#leave();
    this.#stand.standing.leave(this.#stand.limits.scopes, this.#takes);
  }

  #left(): number {
    return unitsLeft(this.#stand.limits.scopes, this.#stand.counters);
  }

  #take(more: number): void {
    for (const counter of this.#stand.counters) counter.reserved += more;
    this.#held += more;
  }

  /**
   * An hour or a period may have ended while the call runs: what it holds goes along into the next one, as far as others have
   * left room there. While that one is being read the call stays where it is, and looks again with its next units.
   */
  #follow(atMs: number): boolean {
    const present = this.#caller.countersAt(atMs);
    if (present instanceof Promise) {
      // Nobody waits for it here. Where the ledger cannot be read, the next call that is to be let in is told.
      present.catch(() => undefined);
      return false;
    }
    this.#atMs = atMs;
    const before = this.#stand.counters;
    if (present === before) return true;
    this.#room = earlier(this.#room, this.#caller.room());
    const held = this.#held;
    this.#take(-held);
    this.#leave();
    this.#enter(present);
    const left = unitsLeft(this.#stand.limits.scopes, present, before);
    this.#take(Math.max(0, Math.min(held, left)));
    return true;
  }

  #enter(counters: readonly Counter[]): void {
    this.#stand.counters = counters;
    for (const counter of counters) counter.calls += 1;
  }

  #leave(): void {
    for (const counter of this.#stand.counters) counter.calls -= 1;
  }

  /** The stand at this moment: while the call ran others may have come, and time has gone on. */
  #present(): Stand {
    const stand = this.#stand;
    stand.atMs = this.#caller.nowMs();
    stand.steadyMs = this.#caller.steadyMs(stand.atMs);
    return stand;
  }

  #count(used: number): void {
    for (const counter of this.#stand.counters) {
      counter.reserved -= this.#held;
      counter.committed += used;
    }
    this.#held = 0;
  }

  /** Refuses the call. Why so many units do not fit is told without what it holds and has taken itself. */
  #refusal(units: number): LimitRefusal {
    const others = (counter: Counter) => ({ ...counter, reserved: counter.reserved - this.#held });
    const stand = this.#present();
    this.excuse();
    return refusalBy({ ...stand, counters: stand.counters.map(others) }, units, 0);
  }
}

/** What it held was looked at by the one, and by the other where it goes over to: the ledger must be as it was for both. */
function earlier(before: Room | undefined, present: Room | undefined): Room | undefined {
  return before && present && before.asOf < present.asOf ? { ...present, asOf: before.asOf } : present;
}
