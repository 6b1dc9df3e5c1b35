/** Tells who has crashed of those that carry calls out on the same database, whatever clocks do. */

import { processOf, type SeenRunner } from '../domain/runner.js';
import type { Processes } from '../lib/host.js';

/** One that has not said for this many of our own ticks that it runs has crashed, or stands still. Its clock and ours may jump. */
const unseenTicks = 15;

/** Is told at each tick who else has rows, and returns who of them has ended, or stands still. */
export type RunnerWatch = (others: readonly SeenRunner[]) => SeenRunner[];

/** Begins to watch. A process that has surely ended is told at once, any other when it was not seen for long. */
export function createRunnerWatch(processes: Processes): RunnerWatch {
  let known = new Map<string, { atMs: number; ticks: number }>();
  return (others) => {
    const before = known;
    known = new Map();
    for (const { runner, seenAtMs: atMs } of others) {
      const last = before.get(runner);
      known.set(runner, { atMs, ticks: last?.atMs === atMs ? last.ticks + 1 : 0 });
    }
    return others.filter(
      ({ runner }) => (known.get(runner)?.ticks ?? 0) >= unseenTicks || processes.hasEnded(processOf(runner)),
    );
  };
}
