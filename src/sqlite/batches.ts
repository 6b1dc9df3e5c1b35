/** Writes to many rows, in transactions short enough that calls never wait long for a commit behind one. */

import type { Clock } from '../lib/host.js';
import type { Database } from './open.js';

/** So many rows in one transaction. */
export const batchMax = 1_000;

/** Runs `batch`, which changes up to `batchMax` rows, until it changes fewer; other work runs in between. Returns how many. */
export async function writeInBatches(
  { write }: Database,
  clock: Clock,
  batch: () => number,
): Promise<number> {
  let changed = 0;
  for (;;) {
    const changes = write(batch);
    changed += changes;
    if (changes < batchMax) return changed;
    await new Promise<void>((resolve) => clock.soon(resolve));
  }
}
