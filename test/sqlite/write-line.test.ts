/** Writes while another connection has the write lock: they wait in a line, each for so long, and nothing else waits. */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Database, openDatabase } from '../../src/sqlite/open.js';
import { createStore } from '../../src/sqlite/store.js';
import { addCustomers } from '../conformance/usage.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost, type FakeHost } from '../support/host.js';
import { newUsage } from '../support/records.js';

interface Scene {
  host: FakeHost;
  database: Database;
  /** What has been committed, in order, and what was refused. */
  done: string[];
  /** Asks for a write. */
  ask(name: string): Promise<void>;
  lock(): void;
  release(): void;
}

function openScene(): Scene {
  const path = join(createTestFolder(), 'meterctl.db');
  const host = createFakeHost();
  const database = openDatabase(path, host.clock);
  onTestFinished(database.close);
  const other = new Sqlite(path);
  onTestFinished(() => void other.close());
  const done: string[] = [];
  return {
    host,
    database,
    done,
    async ask(name) {
      try {
        await database.write(() => void done.push(name));
      } catch (error) {
        done.push((error as Error).message);
      }
    },
    lock: () => void other.exec('BEGIN IMMEDIATE'),
    release: () => void other.exec('COMMIT'),
  };
}

describe('a write', () => {
  it('is committed before anything else runs when nobody has the lock', () => {
    const { done, ask } = openScene();
    void ask('one');
    void ask('two');
    expect(done).toEqual(['one', 'two']);
  });

  it('waits while another process has it, and reads go on', async () => {
    const { host, database, done, ask, lock, release } = openScene();
    lock();
    void ask('one');
    await host.advance(4_000);
    expect(done).toEqual([]);
    expect(database.read(() => 'read')).toBe('read');
    release();
    await host.advance(50);
    expect(done).toEqual(['one']);
    void ask('two');
    expect(done, 'at once again').toEqual(['one', 'two']);
  });

  it('waits for its turn behind those that came before it, also when the lock is free again', async () => {
    const { host, done, ask, lock, release } = openScene();
    lock();
    for (const name of ['one', 'two', 'three']) void ask(name);
    await host.advance(1_000);
    release();
    void ask('four');
    expect(done).toEqual([]);
    await host.advance(50);
    expect(done).toEqual(['one', 'two', 'three', 'four']);
  });

  it('gives up after five seconds, each counted from when it was asked for', async () => {
    const { host, done, ask, lock, release } = openScene();
    lock();
    void ask('one');
    await host.advance(2_000);
    void ask('two');
    await host.advance(2_900);
    expect(done).toEqual([]);
    await host.advance(200);
    expect(done).toEqual([
      expect.stringContaining('has been locked by another process for more than 5 seconds'),
    ]);
    await host.advance(1_700);
    expect(done).toHaveLength(1);
    await host.advance(300);
    expect(done).toHaveLength(2);
    release();
    void ask('three');
    expect(done[2]).toBe('three');
  });

  it('lets everything else have a turn between two that waited', async () => {
    const { host, done, ask, lock, release } = openScene();
    const turns: string[][] = [];
    lock();
    const asked = ['one', 'two', 'three'].map((name) => ask(name).then(() => turns.push([...done])));
    release();
    await host.advance(1);
    await Promise.all(asked);
    expect(turns).toEqual([['one'], ['one', 'two'], ['one', 'two', 'three']]);
  });

  it('that fails takes itself back alone', async () => {
    const { host, database, done, ask, lock, release } = openScene();
    lock();
    const failing = database.write(() => {
      throw new Error('a defect');
    });
    void ask('two');
    release();
    await Promise.all([expect(failing).rejects.toThrow('a defect'), host.advance(50)]);
    expect(done).toEqual(['two']);
  });

  it('is waited for when the database is closed', async () => {
    const { host, database, done, ask, lock, release } = openScene();
    lock();
    void ask('one');
    void ask('two');
    const closing = database.close().then(() => done.push('closed'));
    await host.advance(1_000);
    release();
    await host.advance(50);
    await closing;
    expect(done).toEqual(['one', 'two', 'closed']);
  });
});

describe('a write that need not be synced', () => {
  const fully = 2;
  const normally = 1;

  it('leaves the next one synced, whatever came of it', async () => {
    const { host, database, lock, release } = openScene();
    const level = () => database.connection.pragma('synchronous', { simple: true });
    const levels = [await database.writeUnsynced(level), await database.write(level)];
    expect(levels).toEqual([normally, fully]);
    const failing = database.writeUnsynced(() => {
      throw new Error('a defect');
    });
    await expect(failing).rejects.toThrow('a defect');
    expect(await database.write(level)).toBe(fully);
    lock();
    const waiting = [database.writeUnsynced(level), database.write(level), database.writeUnsynced(level)];
    release();
    await host.advance(50);
    expect(await Promise.all(waiting)).toEqual([normally, fully, normally]);
    expect(await database.write(level)).toBe(fully);
  });

  it('leaves the next one synced, or refused, also where SQLite cannot be told so', async () => {
    const { database } = openScene();
    const { connection } = database;
    const level = () => connection.pragma('synchronous', { simple: true });
    const other = new Sqlite(connection.name);
    onTestFinished(() => void other.close());
    other.unsafeMode().pragma('writable_schema = ON');
    let version = Number(other.pragma('schema_version', { simple: true }));
    const alter = (sql: string) => {
      other.exec(sql);
      version += 1;
      other.pragma(`schema_version = ${version}`);
    };
    alter("INSERT INTO sqlite_schema VALUES ('table', 'bad', 'bad', 0, 'CREATE nonsense')");
    const unsynced = database.writeUnsynced(() => connection.prepare('SELECT 1 FROM customers').get());
    await expect(unsynced).rejects.toThrow();
    expect(() => database.write(level)).toThrow();
    alter("DELETE FROM sqlite_schema WHERE name = 'bad'");
    expect(await database.write(level)).toBe(fully);
  });
});

describe('the ledger', () => {
  it('takes batches in order also when the names in them are new, and counts them on', async () => {
    const { host, database, lock, release } = openScene();
    const store = createStore(database, host);
    const [one = 0] = await addCustomers(store, 1);
    const record = (route: string) =>
      store.recordUsage([newUsage(one, { idempotencyKey: undefined, route })], host.clock.nowMs());
    lock();
    const recording = Promise.all([record('/first'), record('/second')]);
    await host.advance(1_000);
    release();
    await host.advance(50);
    expect((await recording).flat()).toMatchObject([{ periodUnits: 1 }, { periodUnits: 2 }]);
  });
});

describe('a read', () => {
  it('is asked again while another process mends the log', () => {
    const { database } = openScene();
    let asked = 0;
    const answer = database.read(() => {
      asked += 1;
      if (asked === 1) throw new Sqlite.SqliteError('database is locked', 'SQLITE_BUSY_RECOVERY');
      return database.connection.pragma('busy_timeout', { simple: true });
    });
    expect([asked, answer]).toEqual([2, 100]);
    expect(database.connection.pragma('busy_timeout', { simple: true }), 'writes never block').toBe(0);
  });
});
