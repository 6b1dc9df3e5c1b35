/** Runs one `tick` again and again in the background; the tick itself is what tests call. */

import type { Closable } from './closers.js';
import type { Clock, Log } from './host.js';

/** What a loop needs. */
export interface LoopOptions {
  /** Names the loop in the log. */
  name: string;
  clock: Clock;
  log: Log;
  /** Pause between the end of one tick and the start of the next. */
  intervalMs: number;
  /** One round of work. `signal` aborts when the loop is being closed. */
  tick(signal: AbortSignal): Promise<void>;
}

/** A background loop. `start` and `close` tolerate being called twice, and `close` before `start`. */
export interface Loop extends Closable {
  start(): void;
  /** Ends the present pause, so that the next tick comes now. */
  wake(): void;
  /** Aborts the pause, waits for the running tick and ends the loop. */
  close(): Promise<void>;
}

/** Makes a loop; nothing runs before `start`. A tick that throws is logged, and the loop goes on. */
export function createLoop(options: LoopOptions): Loop {
  const closing = new AbortController();
  let pause = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      pause = new AbortController();
      try {
        await options.tick(closing.signal);
      } catch (error) {
        options.log.error(`${options.name} failed; it will be tried again`, { error });
      }
      if (closing.signal.aborted) return;
      await options.clock.sleep(options.intervalMs, pause.signal);
    }
  }

  return {
    start() {
      if (!closing.signal.aborted) running ??= run();
    },
    wake() {
      pause.abort();
    },
    async close() {
      closing.abort();
      pause.abort();
      await running;
    },
  };
}
