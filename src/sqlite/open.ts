/** Opens the database file; the one place that begins transactions and that turns SQLite's errors into ours. */

import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { MeterctlError } from '../domain/error.js';
import type { Clock } from '../lib/host.js';
import { migrate } from './migrate.js';
import { createWriteLine, type WriteSteps } from './write-line.js';

/** How long opening, and each write, waits for another process's transaction before it gives up. */
const busyTimeoutMs = 5_000;

/** How long a read waits for another process that mends the log after a crash: see `createReader`. */
const recoveryTimeoutMs = 100;

/**
 * The write-ahead log is copied into the database after so many pages (16 MB), by the commit that reaches them. Calls change
 * the same pages over and over, of which only the last state is copied; more pages would make that commit wait too long.
 */
const checkpointPages = 4_000;

/** The write-ahead log is cut back to this size after a checkpoint. */
const walMaxBytes = 64 * 1024 * 1024;

/** An open database. Every access goes through `read` or `write`: they throw `unavailable` for what SQLite cannot do. */
export interface Database {
  readonly connection: Sqlite.Database;
  /** Runs `step` on one consistent snapshot. It may be run a second time, so all it does is read. */
  read<T>(step: () => T): T;
  /**
   * Runs `step` under the write lock and commits it, synced to disk; takes all of it back if it throws. That is done when
   * `write` returns its result, unless another process has the lock: then it waits, and blocks nothing, and this is a promise.
   */
  write<T>(step: () => T): T | Promise<T>;
  /**
   * As `write`, but not synced: every process sees it at once, and a power cut may take it back. The next synced commit takes
   * it along. For what means nothing once the processes are gone that wrote it.
   */
  writeUnsynced<T>(step: () => T): Promise<T>;
  /** Waits for the writes that wait. */
  close(): Promise<void>;
}

/**
 * Opens or creates the database and migrates it. A folder that is made here is 0700, a file 0600 (SQLite gives its log
 * files the same). Throws `unavailable` when the file cannot be used and `conflict` when it is newer or not ours.
 */
export function openDatabase(path: string, clock: Clock): Database {
  return translated(path, () => {
    makeFolder(dirname(path));
    closeSync(openSync(path, 'a', 0o600));
    // SQLite's own waiting blocks the process, which serves nothing yet.
    const connection = new Sqlite(path, { timeout: busyTimeoutMs });
    try {
      connection.pragma('synchronous = FULL');
      connection.pragma('foreign_keys = ON');
      connection.pragma(`wal_autocheckpoint = ${checkpointPages}`);
      connection.pragma(`journal_size_limit = ${walMaxBytes}`);
      migrate(connection, path);
      // Not before: a file that is refused stays as it was, and this writes into its header.
      connection.pragma('journal_mode = WAL');
      return createDatabase(connection, path, clock);
    } catch (error) {
      connection.close();
      throw error;
    }
  });
}

/** Not `recursive: true`: Node then never returns where a folder cannot be made in one that exists, as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it in between.
    if (!existsSync(folder)) throw error;
  }
}

function createDatabase(connection: Sqlite.Database, path: string, clock: Clock): Database {
  const beginRead = connection.prepare('BEGIN');
  const beginWrite = connection.prepare('BEGIN IMMEDIATE');
  const commit = connection.prepare('COMMIT');
  const rollback = connection.prepare('ROLLBACK');

  /** With a log neither the commit nor the checkpoint after it is ever refused because of others. */
  function complete<T>(step: () => T): T {
    try {
      const result = step();
      commit.run();
      return result;
    } catch (error) {
      // After a full disk or an I/O error SQLite has rolled back already.
      if (connection.inTransaction) rollback.run();
      throw error;
    }
  }

  const syncCommits = createSyncSwitch(connection);

  function begin(isSynced: boolean): Error | undefined {
    try {
      syncCommits(isSynced);
      beginWrite.run();
      return undefined;
    } catch (error) {
      if (isBusy(error)) return explained(path, error);
      throw explained(path, error);
    }
  }

  const stepsOf = (isSynced: boolean): WriteSteps => ({
    begin: () => begin(isSynced),
    complete: (step) => translated(path, () => complete(step)),
  });
  const [synced, unsynced] = [stepsOf(true), stepsOf(false)];
  const line = createWriteLine(clock, busyTimeoutMs);
  const read = createReader(connection, (step) => {
    beginRead.run();
    return complete(step);
  });
  return {
    connection,
    read: (step) => translated(path, () => read(step)),
    write: (step) => line.write(synced, step),
    async writeUnsynced(step) {
      return line.write(unsynced, step);
    },
    async close() {
      await line.drain();
      connection.close();
    },
  };
}

/**
 * SQLite: how much is synced can be changed between transactions alone. With a log, NORMAL leaves out the sync of commits.
 * Whatever of this fails: what must be synced does not begin before it is.
 */
function createSyncSwitch(connection: Sqlite.Database): (on: boolean) => void {
  let isOn = true;
  return (on) => {
    if (on === isOn) return;
    isOn = false;
    connection.pragma(`synchronous = ${on ? 'FULL' : 'NORMAL'}`);
    isOn = on;
  };
}

/**
 * Readers wait for nobody, but for a process that mends the log's index because another one was killed while it wrote
 * there: milliseconds, and so rare that they may block. The first statement notices, before anything was read. Writes never
 * block: SQLite is told not to wait at any other time.
 */
function createReader(connection: Sqlite.Database, transact: Database['read']): Database['read'] {
  const waitAtMost = (ms: number) => connection.pragma(`busy_timeout = ${ms}`);
  waitAtMost(0);
  return (step) => {
    try {
      return transact(step);
    } catch (error) {
      if (!isBusy(error)) throw error;
      waitAtMost(recoveryTimeoutMs);
      try {
        return transact(step);
      } finally {
        waitAtMost(0);
      }
    }
  };
}

function isBusy(error: unknown): error is Error {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY');
}

/** What SQLite's primary result codes mean to an operator, and the mend. Other codes are defects of this program. */
const failures: readonly { codes: RegExp; says: string; hint: string }[] = [
  {
    codes: /^SQLITE_BUSY_RECOVERY/,
    says: 'is being mended by another process after a crash',
    hint: 'Try again.',
  },
  {
    codes: /^SQLITE_(BUSY|LOCKED)/,
    says: `has been locked by another process for more than ${busyTimeoutMs / 1000} seconds`,
    hint: 'Find the process that holds it (lsof), let it finish or stop it, and try again.',
  },
  { codes: /^(SQLITE_FULL|ENOSPC|EDQUOT)/, says: 'cannot grow: the disk is full', hint: 'Free some space.' },
  {
    codes: /^(SQLITE_(READONLY|CANTOPEN|PERM|AUTH)|EACCES|EPERM|EROFS|ENOENT|ENOTDIR|EISDIR|EEXIST)/,
    says: 'cannot be opened for writing',
    hint: 'Check that the path is right, and that this user may write the file and its folder.',
  },
  {
    codes: /^SQLITE_NOTADB/,
    says: 'is not a database',
    hint: 'Name another file with --database or METERCTL_DATABASE.',
  },
  { codes: /^SQLITE_CORRUPT/, says: 'is damaged', hint: 'Stop meterctl and restore the file from a backup.' },
  { codes: /^(SQLITE_IOERR|EIO)/, says: 'cannot be read or written', hint: 'Check the disk.' },
];

function translated<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw explained(path, error);
  }
}

/** SQLite's error in ours; any other as it is. */
function explained<T>(path: string, error: T): T | MeterctlError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const failure = failures.find(({ codes }) => codes.test(code));
  if (!failure || error instanceof MeterctlError) return error;
  return new MeterctlError('unavailable', `The database ${path} ${failure.says} (${code}).`, {
    hint: failure.hint,
    cause: error,
  });
}
