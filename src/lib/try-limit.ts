/** So many tries a name in a while, with bounded memory: for what strangers may do to the program. */

import { createBoundedCache } from './bounded-cache.js';
import type { Clock } from './host.js';

/** Counts tries by name: an address, for instance. */
export interface TryLimit {
  /** How long the name must wait until it may try again; 0 when it may now. */
  waitMs(name: string): number;
  /** Counts a try. */
  note(name: string): void;
}

/** What a limit holds to: `burst` tries at once, and one more every `refillMs`. */
export interface TryLimitOptions {
  clock: Clock;
  burst: number;
  refillMs: number;
  /** Names that are remembered at least; who is forgotten starts anew. */
  namesMax: number;
}

/** A limit that knows nobody yet. */
export function createTryLimit({ clock, burst, refillMs, namesMax }: TryLimitOptions): TryLimit {
  /** When a name will have all its tries again: the one number that a leaky bucket needs (GCRA). */
  const fullAtMs = createBoundedCache<string, number>(namesMax);

  /** What is missing to a full bucket, in time. A clock that was set back must lock nobody out for longer than that. */
  function missingMs(name: string, nowMs: number): number {
    return Math.min(Math.max(0, (fullAtMs.get(name) ?? 0) - nowMs), burst * refillMs);
  }

  return {
    waitMs(name) {
      return Math.max(0, missingMs(name, clock.nowMs()) - (burst - 1) * refillMs);
    },
    note(name) {
      const nowMs = clock.nowMs();
      fullAtMs.set(name, nowMs + missingMs(name, nowMs) + refillMs);
    },
  };
}
