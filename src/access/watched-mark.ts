/** How far the ledger was looked through for thresholds, as the next process needs to know when this one is killed. */

import type { IdentityStore } from '../domain/store.js';
import type { Clock } from '../lib/host.js';

/** So far behind the mark stays: what was noticed meanwhile may not be kept yet. */
const lagMs = 60_000;

const markName = 'usage_watched';

/** The mark in the database. */
export interface WatchedMark {
  /** The row up to which an earlier process has looked; `undefined` where none has. */
  read(): Promise<number | undefined>;
  /** This process has looked up to this row. Written now and then, and where there was no mark at once. */
  note(usageId: number): Promise<void>;
}

/** Makes the mark's reader and writer. */
export function createWatchedMark({
  store,
  clock,
}: {
  store: Pick<IdentityStore, 'findMark' | 'recordMark'>;
  clock: Clock;
}): WatchedMark {
  let written: number | undefined;
  let next: { usageId: number; sinceMs: number } | undefined;

  async function write(usageId: number): Promise<void> {
    if (usageId !== written) await store.recordMark(markName, String(usageId));
    written = usageId;
  }

  return {
    async read() {
      const text = await store.findMark(markName);
      written = text === undefined ? undefined : Number(text);
      return written;
    },
    async note(usageId) {
      const nowMs = clock.nowMs();
      if (written === undefined) await write(usageId);
      // A clock may jump back, too.
      const isDue = next && Math.abs(nowMs - next.sinceMs) >= lagMs;
      if (next && !isDue) return;
      if (next) await write(next.usageId);
      next = { usageId, sinceMs: nowMs };
    },
  };
}
