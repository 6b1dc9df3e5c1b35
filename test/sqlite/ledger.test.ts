/** What holds of the tables themselves: whole numbers, an append-only ledger, frozen deliveries, roll-ups that can be rebuilt. */

import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../src/domain/store.js';
import { type Database, openDatabase } from '../../src/sqlite/open.js';
import { deliveryUnitsSql, rebuildRollups } from '../../src/sqlite/rollups.js';
import { createStore } from '../../src/sqlite/store.js';
import { addCustomers } from '../conformance/usage.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost, testStartMs } from '../support/host.js';
import {
  newUsage,
  recordCustomer,
  recordSubscription,
  stripeCustomer,
  subscriptionOf,
  testPeriod,
} from '../support/records.js';

const DAY_MS = 86_400_000;

function openTestStore(): { database: Database; store: Store } {
  const database = openDatabase(join(createTestFolder(), 'meterctl.db'), createFakeHost().clock);
  onTestFinished(database.close);
  return { database, store: createStore(database, createFakeHost()) };
}

describe('numbers', () => {
  it('are bound as floats, so that SQL must not divide them', () => {
    const { database } = openTestStore();
    const divide = (sql: string) =>
      database.connection
        .prepare(sql)
        .pluck()
        .get(DAY_MS * 1.5);
    expect(divide('SELECT typeof(?)')).toBe('real');
    expect(divide(`SELECT ? / ${DAY_MS}`), 'the trap').toBe(1.5);
    expect(divide(`SELECT CAST(? AS INTEGER) / ${DAY_MS}`)).toBe(1);
  });

  it('are stored as integers in every column, and fall on the right day', async () => {
    const { database, store } = openTestStore();
    await recordCustomer(store, stripeCustomer());
    await recordSubscription(store, subscriptionOf('cus_one'));
    const [one = 0] = await addCustomers(store, 1);
    const lastMs = Math.floor(testStartMs / DAY_MS) * DAY_MS + DAY_MS - 1;
    await store.recordUsage([newUsage(one, { atMs: lastMs, idempotencyKey: 'k' })], lastMs);
    await store.freezeDeliveries(lastMs + 5_000);
    await store.claimDeliveries({ nowMs: lastMs + 5_000, leaseMs: 10, limit: 1 });
    expect(await store.listUsage({ fromMs: 0, toMs: testPeriod.endMs }, 'day')).toEqual([
      { bucketMs: lastMs - DAY_MS + 1, units: 1, requests: 1 },
    ]);
    const columns = database.connection
      .prepare<[], { name: string; column: string }>(
        `SELECT t.name, c.name AS "column" FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND c.type = 'INTEGER'`,
      )
      .all();
    expect(columns.length).toBeGreaterThan(50);
    for (const { name, column } of columns) {
      const types = database.connection
        .prepare(`SELECT DISTINCT typeof("${column}") FROM "${name}" WHERE "${column}" IS NOT NULL`)
        .pluck()
        .all();
      expect(['integer', undefined], `${name}.${column}`).toContain(types[0]);
      expect(types.length).toBeLessThan(2);
    }
  });
});

describe('the ledger', () => {
  it('is append-only, and deliveries never change once frozen', async () => {
    const { database, store } = openTestStore();
    const [one = 0] = await addCustomers(store, 1);
    await store.recordUsage([newUsage(one)], testStartMs);
    const run = (sql: string) => () => database.connection.exec(sql);
    expect(run('UPDATE usage SET units = 0')).toThrow('append-only');
    expect(run('DELETE FROM usage')).toThrow('append-only');
    expect(run('DELETE FROM deliveries')).toThrow('never deleted');
    await store.freezeDeliveries(testStartMs + 5_000);
    expect(run('UPDATE deliveries SET timestamp_ms = timestamp_ms + 1')).toThrow('never changes');
    await store.claimDeliveries({ nowMs: testStartMs + 5_000, leaseMs: 10, limit: 1 });
    expect(run('UPDATE deliveries SET units = 0')).toThrow('never changes');
  });

  it('cannot have two deliveries of a customer and meter in flight', async () => {
    const { database, store } = openTestStore();
    const [one = 0] = await addCustomers(store, 1);
    await store.recordUsage([newUsage(one), newUsage(one, { atMs: testStartMs + 5_000 })], testStartMs);
    await store.freezeDeliveries(testStartMs + 10_000);
    expect(() =>
      database.connection.exec("UPDATE deliveries SET state = 'claimed', lease_until_ms = 1"),
    ).toThrow('UNIQUE');
  });

  it('holds what it answered, and gives the same roll-ups when they are made anew', async () => {
    const usage = fc.record({
      customer: fc.integer({ min: 0, max: 2 }),
      meter: fc.constantFrom('calls', 'tokens'),
      route: fc.constantFrom('GET /a', 'GET /b'),
      units: fc.integer({ min: -1_000, max: 1_000_000 }),
      offsetMs: fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }),
      periodStartMs: fc.constantFrom(testPeriod.startMs, testPeriod.endMs),
      idempotencyKey: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined }),
    });
    // Sometimes more than one statement takes.
    const batch = fc.array(usage, { maxLength: 150, size: 'max' });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { maxLength: 5 }), async (batches) => {
        const { database, store } = openTestStore();
        const numbers = await addCustomers(store, 3);
        const row = database.connection.prepare(
          'SELECT customer_no AS customerNo, name AS route, units, at_ms AS atMs FROM usage JOIN routes ON no = route_no WHERE id = ?',
        );
        for (const batch of batches) {
          const entries = batch.map(({ customer, offsetMs, ...fields }) =>
            newUsage(numbers[customer] ?? 0, { ...fields, atMs: testStartMs + offsetMs }),
          );
          const recorded = await store.recordUsage(entries, testStartMs);
          for (const [index, { id, recorded: how }] of recorded.entries()) {
            const { customerNo, route, units, atMs } = entries[index]!;
            if (how === 'new') expect(row.get(id)).toEqual({ customerNo, route, units, atMs });
          }
        }
        const all = (sql: string) => database.connection.prepare(sql).all();
        const rollups = () => ({
          days: all(
            `SELECT day, customer_no, key_no, route_no, sum(units), sum(requests) FROM usage_days GROUP BY 1, 2, 3, 4`,
          ),
          periods: all(
            'SELECT customer_no, meter_no, period_start_ms, sum(units) FROM usage_periods GROUP BY 1, 2, 3',
          ),
          deliveries: all(`SELECT no, ${deliveryUnitsSql} FROM deliveries d`),
        });
        const kept = rollups();
        // Added up from the ledger alone, in words of its own.
        expect(kept.days).toEqual(
          all(`SELECT CAST(floor(at_ms / 86400000.0) AS INTEGER) AS day, customer_no,
            CASE WHEN key_no IS NULL THEN 0 ELSE key_no END AS key_no, route_no, sum(units),
            count(CASE WHEN units < 0 THEN NULL ELSE 1 END) AS 'sum(requests)' FROM usage GROUP BY 1, 2, 3, 4`),
        );
        await rebuildRollups(database);
        expect(rollups()).toEqual(kept);
        const owed = database.connection.prepare('SELECT sum(units) FROM deliveries').pluck().get();
        expect(owed).toBe(database.connection.prepare('SELECT sum(units) FROM usage').pluck().get());
      }),
      { numRuns: 30 },
    );
  });
});

describe('claiming', () => {
  it('reads only what it claims, however long the queue of one customer is', async () => {
    const { database } = openTestStore();
    const plan = (sql: string) =>
      database.connection
        .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => detail)
        .join('; ');
    expect(
      plan(`SELECT customer_no FROM lanes INDEXED BY lanes_due WHERE hurried = 0 AND due_at_ms <= 1
        ORDER BY due_at_ms`),
    ).toMatch(/^SEARCH lanes USING COVERING INDEX lanes_due \(hurried=\? AND due_at_ms<\?\)$/);
    expect(
      plan(`SELECT no FROM deliveries INDEXED BY deliveries_pending WHERE state = 'pending' AND customer_no = 1
        AND meter_no = 1 AND next_attempt_at_ms <= 1 ORDER BY window_start_ms LIMIT 1`),
    ).toMatch(
      /^SEARCH deliveries USING COVERING INDEX deliveries_pending \(customer_no=\? AND meter_no=\?\)$/,
    );
  });
});

describe('names', () => {
  it('that are known are not looked up again beside a new one', async () => {
    const { database } = openTestStore();
    let reads = 0;
    const read: Database['read'] = (step) => {
      reads += 1;
      return database.read(step);
    };
    const store = createStore({ ...database, read }, createFakeHost());
    const [one = 0] = await addCustomers(store, 1);
    const batch = (route: string) => [
      ...Array.from({ length: 50 }, () => newUsage(one)),
      newUsage(one, { route }),
    ];
    await store.recordUsage(batch('GET /old'), testStartMs);
    reads = 0;
    await store.recordUsage(batch('GET /old'), testStartMs);
    expect(reads).toBe(0);
    await store.recordUsage(batch('GET /new'), testStartMs);
    expect(reads).toBe(1);
  });
});

describe('calls that run', () => {
  it('hold what they owe, and can be closed, also where a process of an earlier version wrote them', async () => {
    const { database, store } = openTestStore();
    const [one = 0] = await addCustomers(store, 1);
    const call = { id: 'call_1', step: 'open', onAbort: 'delivered', seenAtMs: testStartMs } as const;
    await store.recordUsage([newUsage(one, { call })], testStartMs);
    // It knows nothing of the columns.
    database.connection.exec("UPDATE open_calls SET units = 50, held_units = 0, runner = ''");
    const count = { whose: { kind: 'customer', no: one }, window: testPeriod } as const;
    expect(await store.countUnits(count)).toMatchObject({ others: { owed: 50, held: 0 } });
    const runner = { runner: '', seenAtMs: testStartMs };
    expect(await store.listCallRunners()).toEqual([runner]);
    expect(await store.listCallsOf(runner, 10)).toMatchObject([{ units: 50, call: { id: 'call_1' } }]);
  });
});
