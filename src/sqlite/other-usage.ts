/** Notices usage that another process has written, in SQLite: rows of the ledger that are not ours, and calls that run elsewhere. */

import type { Database as Connection } from 'better-sqlite3';
import type { OpenCallRows } from './open-calls.js';

/** What is noticed. */
export interface OtherUsage {
  /** The last row of a commit, after it, as what was taken back leaves its numbers to others. It must have begun with `revision`. */
  noteOwn(lastId: number): void;
  /**
   * Inside a transaction of the caller's: a number that grows with what others have used, or what their calls owe or hold, and
   * when; while calls run elsewhere it grows with everything that others write.
   */
  revision(): number;
}

/** Begins to watch. */
export function createOtherUsage(
  connection: Connection,
  openCalls: Pick<OpenCallRows, 'hasOthers'>,
): OtherUsage {
  const findLastId = connection.prepare<[], number>('SELECT COALESCE(max(id), 0) FROM usage').pluck();
  /** SQLite: it changes with the commits of other connections alone. */
  const dataVersion = connection.prepare<[], number>('PRAGMA data_version').pluck();
  /** The ledger's last row, as far as it is known here: rows are numbered one after the other. */
  let lastId: number | undefined;
  let revision = 0;
  let seen = { writes: -1, hasCalls: false };

  /** How far calls have come elsewhere is not looked at: there may be thousands, and they move all the time. */
  function look(writes: number): void {
    const latest = findLastId.get() ?? 0;
    const hasCalls = openCalls.hasOthers();
    const isNew = lastId !== latest || hasCalls || seen.hasCalls;
    if (isNew && seen.writes !== -1) revision += 1;
    lastId = latest;
    seen = { writes, hasCalls };
  }

  return {
    noteOwn(id) {
      lastId = id;
    },
    revision() {
      const writes = dataVersion.get() ?? 0;
      if (writes !== seen.writes) look(writes);
      return revision;
    },
  };
}
