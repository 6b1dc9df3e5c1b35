/** Notices usage that another process has written, in SQLite: rows of the ledger that are not ours, and calls that run elsewhere. */

import type { RecordedUsage } from '../domain/usage.js';
import type { Database } from './open.js';

/** What is noticed. */
export interface OtherUsage {
  /** After the commit, as what was taken back leaves its numbers to others: what lies between new rows and the last ones is another's. */
  noteOwn(recorded: readonly Pick<RecordedUsage, 'id' | 'recorded'>[]): void;
  /** A number that changes with what others have used, or what their calls owe; now and then it changes without need. */
  revision(): number;
}

/** Begins to watch. `isOwnCall` tells the open calls of this process from those of others. */
export function createOtherUsage(
  { connection, read }: Database,
  isOwnCall: (id: string) => boolean,
): OtherUsage {
  const findLastId = connection.prepare<[], number>('SELECT COALESCE(max(id), 0) FROM usage').pluck();
  const openCalls = connection.prepare<[], { id: string; units: number }>('SELECT id, units FROM open_calls');
  /** The ledger's last row, as far as it is known here: rows are numbered one after the other. */
  let lastId: number | undefined;
  let revision = 0;
  let seen = { writes: -1, calls: '' };

  function look(writes: number): void {
    const latest = findLastId.get() ?? 0;
    const others = openCalls.all().filter(({ id }) => !isOwnCall(id));
    const calls = others.map(({ id, units }) => `${id} ${units}`).join();
    const isNew = lastId !== latest || seen.calls !== calls;
    if (isNew && seen.writes !== -1) revision += 1;
    lastId = latest;
    seen = { writes, calls };
  }

  return {
    noteOwn(recorded) {
      for (const { id, recorded: how } of recorded) {
        if (how !== 'new') continue;
        if (lastId !== undefined && id !== lastId + 1) revision += 1;
        lastId = id;
      }
    },
    revision() {
      return read(() => {
        // SQLite: PRAGMA data_version changes with the commits of other connections alone.
        const writes = Number(connection.pragma('data_version', { simple: true }));
        if (writes !== seen.writes) look(writes);
        return revision;
      });
    },
  };
}
