/** Writes that find the database locked by another process: they wait in a line, and hold up nothing but themselves. */

import type { Clock } from '../lib/host.js';
import { turn } from '../lib/turn.js';

/** Pauses between two tries: short ones first, because most transactions are over in a millisecond. */
const pauseMinMs = 1;
const pauseMaxMs = 50;

/** How a write transaction is made. */
export interface WriteSteps {
  /** Takes the write lock and returns nothing, or returns why not while another process has it. */
  begin(): Error | undefined;
  /** Runs the step under the lock and commits it, or takes all of it back and throws. */
  complete<T>(step: () => T): T;
}

/** Writes, one after the other. */
export interface WriteLine {
  /**
   * Runs the step at once when the lock is free and nobody waits for it: then it returns a value, and throws what the step
   * throws. Otherwise first come, first served; rejects with what `begin` returned after `timeoutMs` of waiting.
   */
  write<T>(steps: WriteSteps, step: () => T): T | Promise<T>;
  /** Resolves when nobody waits. */
  drain(): Promise<void>;
}

/** Makes an empty line. */
export function createWriteLine(clock: Clock, timeoutMs: number): WriteLine {
  /** The last one in the line. While there is none nothing is awaited: paid calls go through here. */
  let last: Promise<unknown> | undefined;
  /** All pauses so far. The clock's own time may jump. */
  let pausedMs = 0;

  /** Only the first in the line tries. Until the lock is held nothing of the step has run, so it may be tried again. */
  async function wait<T>(ahead: Promise<unknown> | undefined, steps: WriteSteps, step: () => T): Promise<T> {
    const untilMs = pausedMs + timeoutMs;
    if (ahead) {
      await ahead.catch(() => undefined);
      // Many may have gathered: between two of them everything else gets its turn.
      await turn(clock);
    }
    for (let pauseMs = pauseMinMs; ; pauseMs = Math.min(2 * pauseMs, pauseMaxMs)) {
      const refusal = steps.begin();
      if (!refusal) return steps.complete(step);
      if (pausedMs >= untilMs) throw refusal;
      await clock.sleep(pauseMs);
      pausedMs += pauseMs;
    }
  }

  async function join<T>(steps: WriteSteps, step: () => T): Promise<T> {
    const waiting = wait(last, steps, step);
    last = waiting;
    try {
      return await waiting;
    } finally {
      if (last === waiting) last = undefined;
    }
  }

  return {
    write(steps, step) {
      return last || steps.begin() ? join(steps, step) : steps.complete(step);
    },
    async drain() {
      while (last) await last.catch(() => undefined);
    },
  };
}
