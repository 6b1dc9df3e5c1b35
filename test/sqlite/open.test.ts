/** Files that cannot be used, or not by this program: each says what is wrong, where, and the mend. */

import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/sqlite/open.js';
import { openStore } from '../../src/sqlite/store.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost } from '../support/host.js';

const host = createFakeHost();

describe('opening the database', () => {
  it('makes the folder and the file for their owner alone', async () => {
    const path = join(createTestFolder(), 'deep', '.meterctl', 'meterctl.db');
    const store = await openStore({ path, host });
    await store.recordMark('a', 'b');
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
    await store.close();
  });

  it('syncs every commit', () => {
    const database = openDatabase(join(createTestFolder(), 'meterctl.db'), host.clock);
    onTestFinished(database.close);
    expect(database.connection.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.connection.pragma('synchronous', { simple: true })).toBe(2);
    expect(database.connection.pragma('foreign_keys', { simple: true })).toBe(1);
  });

  it('keeps what it has when it is opened again', async () => {
    const path = join(createTestFolder(), 'meterctl.db');
    const first = await openStore({ path, host });
    await first.recordMark('a', 'b');
    await first.close();
    const second = await openStore({ path, host });
    onTestFinished(() => second.close());
    expect(await second.findMark('a')).toBe('b');
  });

  it('refuses a database of a newer meterctl and leaves it as it is', async () => {
    const path = join(createTestFolder(), 'meterctl.db');
    await (await openStore({ path, host })).close();
    const newer = new Sqlite(path);
    newer.pragma('user_version = 4711');
    newer.close();
    await expect(openStore({ path, host })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`${path} was written by a newer meterctl: its schema is 4711`),
      hint: expect.stringContaining('newer meterctl'),
    });
  });

  it('refuses the database of another program', async () => {
    const path = join(createTestFolder(), 'other.db');
    const other = new Sqlite(path);
    other.exec('CREATE TABLE recipes (name TEXT)');
    other.close();
    await expect(openStore({ path, host })).rejects.toMatchObject({
      code: 'conflict',
      message: `${path} is the database of another program.`,
    });
    const after = new Sqlite(path);
    onTestFinished(() => void after.close());
    expect(after.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['recipes']);
    expect(after.pragma('journal_mode', { simple: true })).toBe('delete');
  });

  it('refuses a file that is no database, and touches nothing', async () => {
    const path = join(createTestFolder(), 'notes.txt');
    writeFileSync(path, 'not a database, but long enough to look like one '.repeat(40));
    await expect(openStore({ path, host })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`${path} is not a database`),
      hint: expect.stringContaining('--database'),
    });
    expect(statSync(path).size).toBe(49 * 40);
  });

  it('says so when the path is a folder, or lies below a file', async () => {
    const folder = createTestFolder();
    writeFileSync(join(folder, 'file'), '');
    for (const path of [folder, join(folder, 'file', 'meterctl.db'), '/proc/none/meterctl.db']) {
      await expect(openStore({ path, host })).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining(`The database ${path} cannot be opened for writing`),
        hint: expect.stringContaining('may write'),
      });
    }
  });

  it.skipIf(process.getuid?.() === 0)(
    'says so when folder or file is read-only (root may write all)',
    async () => {
      const folder = join(createTestFolder(), 'state');
      mkdirSync(folder);
      const path = join(folder, 'meterctl.db');
      await (await openStore({ path, host })).close();
      const expected = {
        code: 'unavailable',
        message: expect.stringContaining('cannot be opened for writing'),
      };
      chmodSync(path, 0o400);
      await expect(openStore({ path, host })).rejects.toMatchObject(expected);
      chmodSync(path, 0o600);
      chmodSync(folder, 0o500);
      onTestFinished(() => chmodSync(folder, 0o700));
      await expect(openStore({ path, host })).rejects.toMatchObject(expected);
    },
  );
});
