/** How fast and how many at once: what keys and customers have used of their rate, and their calls in flight. */

import type { Scope } from './caller-limits.js';
import { createRateLimiter } from './rate-limiter.js';

/** The calls of keys and customers. Times are steady: see `createSteadyTime`. */
export interface Standing {
  /** How much of its rate's burst the scope has used, in time. */
  debtMs(scope: Scope, atMs: number): number;
  inFlight(scope: Scope): number;
  /** A call begins. */
  enter(scope: Scope, atMs: number): void;
  /** A call has ended. */
  leave(scope: Scope): void;
}

/** Nobody has called yet. Of calls in flight only those are counted that a limit is set for, so the maps stay small. */
export function createStanding(): Standing {
  const rates = { key: createRateLimiter(), customer: createRateLimiter() };
  const inFlight = { key: new Map<number, number>(), customer: new Map<number, number>() };

  function debtMs({ whose, held }: Scope, atMs: number): number {
    return held.rate ? rates[whose.kind].debtMs(whose.no, held.rate, atMs) : 0;
  }

  return {
    debtMs,
    inFlight: ({ whose }) => inFlight[whose.kind].get(whose.no) ?? 0,
    enter(scope, atMs) {
      const { whose, held } = scope;
      const { kind, no } = whose;
      if (held.rate) rates[kind].take(no, held.rate, debtMs(scope, atMs), atMs);
      if (held.maxInFlight !== null) inFlight[kind].set(no, (inFlight[kind].get(no) ?? 0) + 1);
    },
    leave({ whose: { kind, no }, held }) {
      if (held.maxInFlight === null) return;
      const left = (inFlight[kind].get(no) ?? 0) - 1;
      if (left > 0) inFlight[kind].set(no, left);
      else inFlight[kind].delete(no);
    },
  };
}
