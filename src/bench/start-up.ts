/** How long the command line takes to say something, against Node's own start. */

import type { Clock } from '../lib/host.js';
import type { Processes, Self } from './processes.js';

/** The clock counts milliseconds, and a start takes some fifty of them. */
const startsPerRound = 5;

const startMaxMs = 30_000;

/** Ratios of `meterctl --help` to `node -e 0`, one a round. */
export async function measureStartUp(
  self: Self,
  processes: Processes,
  clock: Clock,
  rounds: number,
): Promise<number[]> {
  async function timeOf(args: string[]): Promise<number> {
    const startMs = clock.nowMs();
    for (let start = 0; start < startsPerRound; start += 1) await processes.run(self.node, args, startMaxMs);
    return clock.nowMs() - startMs;
  }

  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const node = await timeOf(['-e', '0']);
    ratios.push((await timeOf([self.script, '--help'])) / node);
  }
  return ratios;
}
