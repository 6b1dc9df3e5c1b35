/** Writes to many rows, in transactions short enough that calls never wait long for a commit behind one. */

import type { Clock } from '../lib/host.js';
import { turn } from '../lib/turn.js';
import type { Database } from './open.js';

/** So many rows to begin with, and never more. Rows that lie far apart cost a hundred times what neighbours do. */
const rowsFirst = 100;
const rowsMax = 1_000;

/** How long a transaction should take: about as long as the calls' own commits. */
const stepMs = 10;

/**
 * Runs `batch`, which changes up to so many rows, until it changes fewer; other work runs in between. How many there are
 * follows from how long the last ones took. Returns how many were changed.
 */
export async function writeInBatches(
  { write }: Database,
  clock: Clock,
  batch: (rows: number) => number,
): Promise<number> {
  let changed = 0;
  for (let rows = rowsFirst; ; ) {
    let startMs = 0;
    const changes = await write(() => {
      // Not before: waiting for another process says nothing about the rows.
      startMs = clock.nowMs();
      return batch(rows);
    });
    changed += changes;
    if (changes < rows) return changed;
    const tookMs = Math.max(1, clock.nowMs() - startMs);
    rows = Math.min(rowsMax, Math.ceil((rows * stepMs) / tookMs));
    await turn(clock);
  }
}
