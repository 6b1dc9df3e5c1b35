/** How fast and how many at once: what keys and customers have used of their rate, and their calls in flight. */

import { NumberList } from '../lib/number-list.js';
import type { Scope } from './caller-limits.js';
import { RateLimiter, type Take } from './rate-limiter.js';

/** The calls of keys and customers. Times are steady: see `createSteadyTime`. */
export interface Standing {
  /** How much of its rate's burst the scope has used, in time. */
  debtMs(scope: Scope, atMs: number): number;
  inFlight(scope: Scope): number;
  /** A call asks to be let in, so its rates are those that hold now: see `RateLimiter`. */
  forgive(scopes: readonly Scope[], atMs: number): void;
  /** A call begins. Returns what it takes of rates. */
  enter(scopes: readonly Scope[], atMs: number): readonly Take[];
  /** A call has ended. */
  leave(scopes: readonly Scope[], takes: readonly Take[]): void;
}

/** Nobody has called yet. Of calls in flight only those are counted that a limit is set for. */
export function createStanding(): Standing {
  const ofKeys = { rates: new RateLimiter(), inFlight: new NumberList() };
  const ofCustomers = { rates: new RateLimiter(), inFlight: new NumberList() };

  // Two names in one place, as in `of[kind]`, are looked up slowly, and this runs a dozen times a call.
  function callsOf({ whose }: Scope): typeof ofKeys {
    return whose.kind === 'key' ? ofKeys : ofCustomers;
  }

  function debtMs(scope: Scope, atMs: number): number {
    const { whose, held } = scope;
    return held.rate ? callsOf(scope).rates.debtMs(whose.no, held.rate, atMs) : 0;
  }

  function count(scope: Scope, calls: 1 | -1): void {
    const { whose, held } = scope;
    if (held.maxInFlight === null) return;
    const { inFlight } = callsOf(scope);
    inFlight.set(whose.no, inFlight.at(whose.no) + calls);
  }

  return {
    debtMs,
    inFlight: (scope) => callsOf(scope).inFlight.at(scope.whose.no),
    forgive(scopes, atMs) {
      for (const scope of scopes) {
        const { whose, held } = scope;
        if (held.rate) callsOf(scope).rates.forgive(whose.no, held.rate, atMs);
      }
    },
    enter(scopes, atMs) {
      const takes: Take[] = [];
      for (const scope of scopes) {
        const { whose, held } = scope;
        if (held.rate) {
          takes.push(callsOf(scope).rates.take(whose.no, held.rate, debtMs(scope, atMs), atMs));
        }
        count(scope, 1);
      }
      return takes;
    },
    leave(scopes, takes) {
      for (const scope of scopes) count(scope, -1);
      for (const take of takes) take.end();
    },
  };
}
