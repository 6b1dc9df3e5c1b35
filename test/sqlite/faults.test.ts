/** A full disk, a lock that stays, a process that dies in the middle: said clearly, and service goes on afterwards. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../src/domain/store.js';
import { createHost } from '../../src/host.js';
import { type Database, openDatabase } from '../../src/sqlite/open.js';
import { deliveryUnitsSql } from '../../src/sqlite/rollups.js';
import { createStore } from '../../src/sqlite/store.js';
import { addCustomers } from '../conformance/usage.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost, testStartMs } from '../support/host.js';
import { newUsage, testPeriod } from '../support/records.js';

/** Other processes are waited for in real time. */
const { clock } = createHost(createFakeHost().log);

const everything = { fromMs: 0, toMs: testPeriod.endMs };

function openTestStore(): { path: string; database: Database; store: Store } {
  const path = join(createTestFolder(), 'meterctl.db');
  const database = openDatabase(path, clock);
  onTestFinished(database.close);
  return { path, database, store: createStore(database, createFakeHost()) };
}

describe('a full disk', () => {
  it('fails the batch as a whole; service resumes when there is room again', async () => {
    const { path, database, store } = openTestStore();
    const [one = 0] = await addCustomers(store, 1);
    const batch = (size: number) =>
      Array.from({ length: size }, () => newUsage(one, { idempotencyKey: undefined }));
    await store.recordUsage(batch(10), testStartMs);
    const pages = Number(database.connection.pragma('page_count', { simple: true }));
    database.connection.pragma(`max_page_count = ${pages}`);
    const refused = expect.objectContaining({
      code: 'unavailable',
      message: `The database ${path} cannot grow: the disk is full (SQLITE_FULL).`,
      hint: 'Free some space.',
    });
    let recorded = 10;
    await expect(
      (async () => {
        for (;;) {
          await store.recordUsage(batch(500), testStartMs);
          recorded += 500;
        }
      })(),
    ).rejects.toEqual(refused);
    await expect(store.recordUsage(batch(5_000), testStartMs)).rejects.toEqual(refused);
    expect(await store.sumUsage(everything)).toMatchObject({ units: recorded, requests: recorded });

    database.connection.pragma('max_page_count = 1000000');
    const [next] = await store.recordUsage(batch(1), testStartMs);
    expect(next?.periodUnits).toBe(recorded + 1);
    expect(await store.sumUsage(everything)).toMatchObject({ units: recorded + 1, pending: recorded + 1 });
    expect(database.connection.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  it('is noticed by the check', async () => {
    const { database, store } = openTestStore();
    database.connection.pragma('query_only = ON');
    await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });
    database.connection.pragma('query_only = OFF');
    await expect(store.check()).resolves.toBeUndefined();
  });
});

describe('another process', () => {
  it('that writes is waited for, and holds up nothing else', async () => {
    const { path, store } = openTestStore();
    const [one = 0] = await addCustomers(store, 1);
    const other = await spawnHolder(path, "setTimeout(() => db.exec('COMMIT'), 1000)");
    let written = false;
    const writing = Promise.resolve(store.recordUsage([newUsage(one)], testStartMs)).finally(() => {
      written = true;
    });
    let turns = 0;
    for (; !written; turns += 1) await new Promise<void>((resolve) => clock.soon(resolve));
    expect(await writing).toMatchObject([{ periodUnits: 1 }]);
    expect(turns).toBeGreaterThan(100);
    other.kill();
  });

  it('that keeps the lock is named as the reason; service goes on once it is gone', async () => {
    const { path, store } = openTestStore();
    const [one = 0] = await addCustomers(store, 1);
    const other = await spawnHolder(path, '');
    await expect(store.recordUsage([newUsage(one)], testStartMs)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('has been locked by another process for more than 5 seconds'),
      hint: expect.stringContaining('try again'),
    });
    expect(await store.sumUsage(everything), 'reading goes on').toMatchObject({ units: 0 });
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(await store.recordUsage([newUsage(one)], testStartMs)).toMatchObject([{ periodUnits: 1 }]);
  });

  it('that dies in the middle of a transaction leaves nothing of it', async () => {
    const { path, store } = openTestStore();
    await addCustomers(store, 1);
    const other = await spawnHolder(path, "db.exec(\"INSERT INTO marks VALUES ('half', 'done')\")");
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(await store.findMark('half')).toBeUndefined();
    await store.recordMark('half', 'not at all');
  });
});

describe('a machine that stops in the middle of a commit', () => {
  it.each([1, 100, 3_000, 4_096, 9_000])(
    '%d bytes before its end leaves whole batches only',
    async (missing) => {
      const { path, store } = openTestStore();
      const [one = 0] = await addCustomers(store, 1);
      for (const size of [3, 5, 7]) {
        const batch = Array.from({ length: size }, (_, n) =>
          newUsage(one, { atMs: testStartMs + n * 5_000 }),
        );
        await store.recordUsage(batch, testStartMs);
      }
      const copy = join(createTestFolder(), 'meterctl.db');
      for (const file of ['', '-wal']) copyFileSync(path + file, copy + file);
      truncateSync(`${copy}-wal`, statSync(`${copy}-wal`).size - missing);
      const database = openDatabase(copy, clock);
      onTestFinished(database.close);
      const found = createStore(database, createFakeHost());
      const { units } = await found.sumUsage(everything);
      expect([0, 3, 8]).toContain(units);
      if (missing < 4_096) expect(units).toBe(8);
      expect(database.connection.pragma('integrity_check', { simple: true })).toBe('ok');
      const owed = database.connection
        .prepare(`SELECT COALESCE(sum(${deliveryUnitsSql}), 0) FROM deliveries d`)
        .pluck();
      expect(owed.get()).toBe(units);
      await found.recordUsage([newUsage(one)], testStartMs);
      expect(await found.sumUsage(everything)).toMatchObject({ units: units + 1 });
    },
  );
});

/** Starts a process that begins a write transaction on the database, and then runs `script`. */
async function spawnHolder(path: string, script: string): Promise<ChildProcess> {
  const code = `
    const db = require('better-sqlite3')(${JSON.stringify(path)});
    db.exec('BEGIN IMMEDIATE');
    ${script};
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}
