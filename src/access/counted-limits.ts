/** The counters of one caller's limits, which are looked for once a window instead of once a call. */

import type { Room, RoomBound } from '../domain/room.js';
import type { CallerLimits } from './caller-limits.js';
import type { Counter, Counters } from './counters.js';

/** Finds counters, in the order of the limits' spans. */
export class CountedLimits {
  readonly #counters: Counters;
  readonly #scopes: CallerLimits['scopes'];
  #found: readonly Counter[] | undefined;
  #room: Room | undefined;
  /** From when until when all of what was found counts. */
  #startMs = 0;
  #endMs = 0;

  constructor(counters: Counters, { scopes }: CallerLimits) {
    this.#counters = counters;
    this.#scopes = scopes;
  }

  /** The counters at a time, or the reading of those that memory does not have. The same list as long as none is another or was read anew. */
  at(atMs: number): readonly Counter[] | Promise<unknown> {
    const found = this.#found;
    return found && atMs >= this.#startMs && atMs < this.#endMs && areFresh(found) ? found : this.#find(atMs);
  }

  /** What calls that are let in by these counters need in the ledger; nothing where no units are limited. */
  get room(): Room | undefined {
    const room = this.#room;
    if (!room || !this.#found) return room;
    const asOf = oldestOf(this.#found);
    // Another key of the customer may have had them read anew; by what they said before, each call would be late in the ledger.
    if (asOf !== room.asOf) this.#room = { ...room, asOf };
    return this.#room;
  }

  #find(atMs: number): readonly Counter[] | Promise<unknown> {
    // What is read anew may stay the same object, and yet say something else.
    this.#found = undefined;
    const found: Counter[] = [];
    const reading: Promise<void>[] = [];
    for (const { whose, spans } of this.#scopes) {
      for (const { span, windowAt } of spans) {
        const window = windowAt(atMs);
        const counter = this.#counters.find(whose, span, window);
        if (counter) found.push(counter);
        else reading.push(this.#counters.load(whose, span, window));
      }
    }
    if (reading.length > 0) return Promise.all(reading);
    this.#found = found;
    this.#room = this.#roomOf(found);
    this.#startMs = Math.max(...found.map(({ startMs }) => startMs));
    this.#endMs = Math.min(...found.map(({ endMs }) => endMs));
    return found;
  }

  #roomOf(counters: readonly Counter[]): Room | undefined {
    const bounds: RoomBound[] = [];
    for (const { whose, spans } of this.#scopes) {
      for (const { span, windowAt, bounds: ofSpan } of spans) {
        const counter = counters[bounds.length];
        bounds.push({
          countAt: (atMs) => this.#counters.countOf(whose, span, windowAt(atMs)),
          knownSum: ({ startMs, endMs }) =>
            counter?.startMs === startMs && counter.endMs === endMs ? counter.summed : undefined,
          unitsMax: (committed) => Math.min(...ofSpan.map(({ unitsMax }) => unitsMax(committed))),
        });
      }
    }
    return bounds.length > 0 ? { asOf: oldestOf(counters), bounds } : undefined;
  }
}

/** As of when all of them hold. Written out, as it runs for every call. */
function oldestOf(counters: readonly Counter[]): number {
  let oldest = Number.POSITIVE_INFINITY;
  for (const { asOf } of counters) if (asOf < oldest) oldest = asOf;
  return oldest;
}

/** Asking keeps them in memory. */
function areFresh(counters: readonly Counter[]): boolean {
  for (const counter of counters) {
    if (!counter.fresh) return false;
    counter.recent = true;
  }
  return true;
}
