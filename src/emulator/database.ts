/** The emulator's own SQLite file, which several processes open at once. */

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { migrations } from './migrations.js';

/** How long a process waits for another one's transaction. */
const busyTimeoutMs = 10_000;

/** An open file. Must be closed. */
export interface Database {
  readonly sql: Sqlite.Database;
  /** Runs `work` in one IMMEDIATE transaction; inside another one, in a savepoint. A throw undoes it. */
  write<T>(work: () => T): T;
  close(): void;
}

/**
 * Opens the file, makes it when it is missing, and brings its schema up to date. Throws when a newer program has
 * written it.
 */
export function openDatabase(path: string): Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const sql = new Sqlite(path, { timeout: busyTimeoutMs });
  sql.pragma('journal_mode = WAL');
  sql.pragma('synchronous = NORMAL');
  sql.pragma('foreign_keys = ON');
  const transaction = sql.transaction((work: () => unknown) => work());
  const database: Database = {
    sql,
    // What comes back is what `work` returned; the one prepared transaction serves works of every type.
    write: <T>(work: () => T) => transaction.immediate(work) as T,
    close: () => sql.close(),
  };
  try {
    migrate(database, path);
  } catch (error) {
    sql.close();
    throw error;
  }
  return database;
}

/** Runs the steps that are missing. All processes agree on `user_version`, read inside the transaction. */
function migrate(database: Database, path: string): void {
  database.write(() => {
    const version = Number(database.sql.pragma('user_version', { simple: true }));
    if (version > migrations.length) {
      throw new Error(
        `${path} was written by a newer version (schema ${version}, this program knows ${migrations.length}).`,
      );
    }
    for (const step of migrations.slice(version)) database.sql.exec(step);
    database.sql.pragma(`user_version = ${migrations.length}`);
  });
}
