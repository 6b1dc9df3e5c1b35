/** The emulator's time for processes that do not run it: the machine's time plus the offset that `advance` has stored. */

import { existsSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import type { Clock } from '../lib/host.js';
import { clockOffsetKey } from './clock.js';

/** A view of the emulator's time. Must be closed. */
export interface SharedClock {
  nowMs(): number;
  /** Reads the stored offset again. */
  refresh(): void;
  close(): void;
}

/** Opens the view. An account that does not exist yet is at the machine's time. */
export function openSharedClock(databasePath: string, clock: Clock): SharedClock {
  let sql: Sqlite.Database | undefined;
  let offsetMs = 0;
  function refresh(): void {
    if (!sql && !existsSync(databasePath)) return;
    sql ??= new Sqlite(databasePath, { readonly: true, fileMustExist: true });
    const row = sql
      .prepare<[string], { value: string }>('SELECT value FROM settings WHERE key = ?')
      .get(clockOffsetKey);
    offsetMs = Number(row?.value ?? 0);
  }
  refresh();
  return { nowMs: () => clock.nowMs() + offsetMs, refresh, close: () => sql?.close() };
}
