/** Adding up what one busy customer has used: in steps, between which paid calls go on, and still right to the unit. */

import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/sqlite/open.js';
import { createStore } from '../../src/sqlite/store.js';
import { addCustomers } from '../conformance/usage.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost, testStartMs } from '../support/host.js';
import { newUsage } from '../support/records.js';

it('reads few rows at a time, also of one delivery, and counts no row that came meanwhile', async () => {
  const host = createFakeHost();
  const database = openDatabase(join(createTestFolder(), 'meterctl.db'), host.clock);
  onTestFinished(database.close);
  let pauses = 0;
  const soon = (task: () => void) => {
    pauses += 1;
    // What a paid call does in between: the window is open still.
    void Promise.resolve(store.recordUsage([newUsage(one)], testStartMs)).then(task);
  };
  const store = createStore(database, { ...host, clock: { ...host.clock, soon } });
  const [one = 0] = await addCustomers(store, 1);
  const usages = (count: number, atMs: number) =>
    Array.from({ length: count }, () => newUsage(one, { atMs }));
  await store.recordUsage(usages(20_000, testStartMs), testStartMs);
  await store.recordUsage(usages(1, testStartMs + 5_000), testStartMs);
  const range = {
    customerId: 'cus_1',
    meter: 'api_calls',
    startMs: testStartMs,
    endMs: testStartMs + 60_000,
  };
  const by = { stepMs: 60_000, settledBeforeMs: testStartMs };
  expect(await store.sumStamped(range, by)).toMatchObject([{ ledger: 20_001, units: 20_001 }]);
  expect(pauses).toBeGreaterThanOrEqual(10);
  const [sums] = await store.sumStamped(range, by);
  expect(sums?.ledger).toBe(20_001 + 10);
});

it('looks through what is not folded in for the units of an open delivery, and once for the rows of all', async () => {
  const host = createFakeHost();
  const database = openDatabase(join(createTestFolder(), 'meterctl.db'), host.clock);
  onTestFinished(database.close);
  let looks = 0;
  database.connection.function('looked', (no) => {
    looks += 1;
    return no;
  });
  // It stands before the database's own.
  database.connection.exec(`
    CREATE TEMP VIEW unfolded_usage AS
    SELECT id, looked(delivery_no) AS delivery_no, customer_no, key_no, route_no, at_ms, day, units, requests
    FROM main.unfolded_usage`);
  const store = createStore(database, host);
  const [one = 0] = await addCustomers(store, 1);
  const usages = Array.from({ length: 50 }, (_, n) => newUsage(one, { atMs: testStartMs + n * 5_000 }));
  await store.recordUsage(usages, testStartMs);
  const range = {
    customerId: 'cus_1',
    meter: 'api_calls',
    startMs: testStartMs,
    endMs: testStartMs + 600_000,
  };
  await store.freezeDeliveries(testStartMs, {});
  const atMs = testStartMs + 300_000;
  await store.recordUsage(
    Array.from({ length: 30 }, () => newUsage(one, { atMs })),
    testStartMs,
  );
  looks = 0;
  const [sums] = await store.sumStamped(range, { stepMs: 600_000, settledBeforeMs: testStartMs });
  expect(sums).toMatchObject({ ledger: 80, units: 80 });
  expect(looks).toBe(60);
});
