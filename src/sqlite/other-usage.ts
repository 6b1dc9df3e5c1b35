/** Notices usage that another process has written, in SQLite: rows of the ledger that are not ours, and calls that run elsewhere. */

import type { Database as Connection } from 'better-sqlite3';
import type { RecordedUsage } from '../domain/usage.js';

/** What is noticed. */
export interface OtherUsage {
  /** After the commit, as what was taken back leaves its numbers to others. The commit must have begun with `revision`. */
  noteOwn(recorded: readonly Pick<RecordedUsage, 'id' | 'recorded'>[]): void;
  /**
   * Inside a transaction of the caller's: a number that grows with what others have used, or what their calls owe or hold, and
   * when; now and then it grows without need.
   */
  revision(): number;
}

/** Begins to watch. `isOwnCall` tells the open calls of this process from those of others. */
export function createOtherUsage(connection: Connection, isOwnCall: (id: string) => boolean): OtherUsage {
  const findLastId = connection.prepare<[], number>('SELECT COALESCE(max(id), 0) FROM usage').pluck();
  const openCalls = connection.prepare<[], OpenCallUnits>(
    'SELECT id, units, held_units AS heldUnits, at_ms AS atMs FROM open_calls',
  );
  /** SQLite: it changes with the commits of other connections alone. */
  const dataVersion = connection.prepare<[], number>('PRAGMA data_version').pluck();
  /** The ledger's last row, as far as it is known here: rows are numbered one after the other. */
  let lastId: number | undefined;
  let revision = 0;
  let seen = { writes: -1, calls: '' };

  function look(writes: number): void {
    const latest = findLastId.get() ?? 0;
    const others = openCalls.all().filter(({ id }) => !isOwnCall(id));
    const calls = others
      .map(({ id, units, heldUnits, atMs }) => `${id} ${units} ${heldUnits} ${atMs}`)
      .join();
    const isNew = lastId !== latest || seen.calls !== calls;
    if (isNew && seen.writes !== -1) revision += 1;
    lastId = latest;
    seen = { writes, calls };
  }

  return {
    noteOwn(recorded) {
      for (const { id, recorded: how } of recorded) if (how === 'new') lastId = id;
    },
    revision() {
      const writes = dataVersion.get() ?? 0;
      if (writes !== seen.writes) look(writes);
      return revision;
    },
  };
}

interface OpenCallUnits {
  id: string;
  units: number;
  heldUnits: number;
  /** It goes on into other hours with what it holds. */
  atMs: number;
}
