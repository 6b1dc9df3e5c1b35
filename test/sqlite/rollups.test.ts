/** The roll-ups follow the ledger behind a mark: whoever asks cannot tell, whatever is folded in, by whom, and whoever dies. */

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../src/domain/store.js';
import { type Database, openDatabase } from '../../src/sqlite/open.js';
import { createRollups, rebuildRollups } from '../../src/sqlite/rollups.js';
import { createStore } from '../../src/sqlite/store.js';
import { addCustomers } from '../conformance/usage.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost, testStartMs } from '../support/host.js';
import { newKey, newUsage, testPeriod } from '../support/records.js';

const DAY_MS = 86_400_000;
const month = { fromMs: testPeriod.startMs, toMs: testPeriod.endMs };

/** Of taking back. */
const order = { reason: 'a mistake', billable: true, cancellableSinceMs: 0 };
const act = { atMs: testStartMs, actor: 'system' } as const;

/** From then on commits of usage under the key 'bad' fail: with the commit itself, when everything has been said about it. */
const doomSql = `
  CREATE TABLE doomed (id INTEGER REFERENCES usage (id) DEFERRABLE INITIALLY DEFERRED);
  CREATE TRIGGER fails AFTER INSERT ON usage_notes WHEN NEW.idempotency_key = 'bad'
  BEGIN INSERT INTO doomed VALUES (-1); END`;

interface Opened {
  path: string;
  database: Database;
  store: Store;
}

function open(path = join(createTestFolder(), 'meterctl.db')): Opened {
  const host = createFakeHost();
  const database = openDatabase(path, host.clock);
  onTestFinished(database.close);
  // Two processes make different ids.
  openings += 1;
  const process = openings;
  const ids = { ...host.ids, next: (prefix: string) => `${host.ids.next(prefix)}_${process}` };
  return { path, database, store: createStore(database, { ...host, ids }) };
}

let openings = 0;

function behind({ database }: Opened): number {
  return Number(
    database.connection.prepare('SELECT max(id) - usage_id FROM usage, rollup_mark').pluck().get() ?? 0,
  );
}

/** Everything that is asked of the store in these tests, and the same added up from the plain ledger. */
async function answersOf({ database, store }: Opened, numbers: readonly number[]) {
  const sum = (sql: string) => Number(database.connection.prepare(sql).pluck().get() ?? 0);
  const list = (sql: string) => database.connection.prepare(sql).raw().all();
  const answers: Record<string, unknown> = {};
  const truth: Record<string, unknown> = {};
  for (const no of numbers) {
    const id = `cus_${numbers.indexOf(no) + 1}`;
    const units = sum(`SELECT sum(units) FROM usage WHERE customer_no = ${no}`);
    const { units: reported, requests, pending } = await store.sumUsage({ ...month, customerId: id });
    const window = { startMs: month.fromMs, endMs: month.toMs };
    answers[id] = {
      period: await store.findPeriodUnits(no, 'api_calls', testPeriod.startMs),
      counted: (await store.countUnits({ whose: { kind: 'customer', no }, window })).sum.units,
      // Cut through a day, so that a part of it is read from deliveries.
      cut: (
        await store.countUnits({
          whose: { kind: 'customer', no },
          window: { ...window, startMs: month.fromMs + 1 },
        })
      ).sum.units,
      undelivered: await store.sumUndelivered(id, month.fromMs, month.toMs),
      ...{ reported, requests, pending },
    };
    truth[id] = {
      ...{ period: units, counted: units, cut: units, undelivered: units, reported: units, pending: units },
      requests: sum(`SELECT count(*) FROM usage WHERE customer_no = ${no} AND units >= 0`),
    };
  }
  const days = await store.listUsage(month, 'day');
  answers.days = Object.fromEntries(days.map(({ bucketMs, units }) => [bucketMs, units]));
  truth.days = Object.fromEntries(
    database.connection
      .prepare<[], [number, number]>(`SELECT at_ms / ${DAY_MS} * ${DAY_MS}, sum(units) FROM usage GROUP BY 1`)
      .raw()
      .all(),
  );
  answers.hours = (await store.listUsage(month, 'hour')).map(({ bucketMs, units, requests }) => [
    bucketMs,
    units,
    requests,
  ]);
  truth.hours = list(`
    SELECT at_ms - at_ms % 3600000, sum(units), sum(units >= 0) FROM usage GROUP BY 1
    HAVING sum(units) <> 0 OR sum(units >= 0) <> 0 ORDER BY 1`);
  answers.rows = list('SELECT delivery_no, usage_id FROM delivery_rows ORDER BY usage_id');
  truth.rows = list('SELECT delivery_no, id FROM usage, rollup_mark WHERE id <= usage_id ORDER BY id');
  const { data } = await store.listDeliveries({}, { limit: 1_000 });
  answers.deliveries = Object.fromEntries(data.map(({ id, units }) => [id, units]));
  truth.deliveries = Object.fromEntries(
    database.connection
      .prepare<[], [string, number]>(
        'SELECT d.id, sum(u.units) FROM deliveries d JOIN usage u ON u.delivery_no = d.no GROUP BY 1',
      )
      .raw()
      .all(),
  );
  return { answers, truth };
}

async function expectTruth(opened: Opened, numbers: readonly number[]): Promise<void> {
  const { answers, truth } = await answersOf(opened, numbers);
  expect(answers).toEqual(truth);
}

/** A database with rows behind its roll-ups. */
async function openBehind() {
  const opened = open();
  const numbers = await addCustomers(opened.store, 2);
  const [one = 0, two = 0] = numbers;
  await opened.store.recordUsage([newUsage(one, { units: 3 }), newUsage(two, { units: 4 })], testStartMs);
  await opened.store.recordUsage([newUsage(one, { units: 5, atMs: testStartMs - DAY_MS })], testStartMs);
  expect(behind(opened)).toBe(3);
  return { ...opened, numbers, one, two };
}

describe('rows behind the roll-ups', () => {
  it('are in every answer, also of another process, which folds nothing', async () => {
    const opened = await openBehind();
    await expectTruth(opened, opened.numbers);
    await expectTruth(open(opened.path), opened.numbers);
    expect(behind(opened)).toBe(3);
  });

  it('belong to their key and route, or to no key, before they are folded in and after', async () => {
    const opened = await openBehind();
    const { store, one } = opened;
    const key = await store.addKey(newKey('cus_1'), 'system');
    const keyNo = key.no;
    const atMs = testStartMs - DAY_MS;
    const usages = [{ units: 7 }, { units: 0 }, { units: 1, atMs }, { units: 2, atMs, route: 'other' }];
    await store.recordUsage(
      usages.map((usage) => newUsage(one, { ...usage, keyNo })),
      testStartMs,
    );
    const count = async (endMs: number) =>
      (await store.countUnits({ whose: { kind: 'key', no: keyNo }, window: { startMs: 0, endMs } })).sum
        .units;
    const ask = async () => ({
      behind: behind(opened),
      keys: await store.listUsage({ ...month, customerId: 'cus_1' }, 'key'),
      ofKey: await store.sumUsage({ ...month, keyId: key.id }),
      routes: await store.listUsage({ ...month, keyId: key.id }, 'route'),
      counted: await count(testPeriod.endMs),
      daysBefore: await count(Math.floor(testStartMs / DAY_MS) * DAY_MS),
    });
    const asked = await ask();
    expect(asked).toMatchObject({
      keys: [
        { keyId: null, units: 8, requests: 2 },
        { keyId: key.id, units: 10, requests: 4 },
      ],
      ofKey: { units: 10, requests: 4, pending: 10 },
      routes: [
        { route: 'GET /api', units: 8, requests: 3 },
        { route: 'other', units: 2, requests: 1 },
      ],
      counted: 10,
      daysBefore: 3,
    });
    await store.freezeDeliveries(testStartMs - 5_000);
    expect(await ask()).toEqual({ ...asked, behind: 0 });
  });

  it('are folded in before a delivery freezes, whoever recorded them', async () => {
    const opened = await openBehind();
    const other = open(opened.path);
    await other.store.recordUsage([newUsage(opened.one, { units: 10 })], testStartMs);
    expect(await opened.store.freezeDeliveries(testStartMs + 5_000)).toBe(3);
    expect(behind(opened)).toBe(0);
    const stored = opened.database.connection.prepare('SELECT units FROM deliveries ORDER BY no').pluck();
    expect(stored.all()).toEqual([13, 4, 5]);
    await expectTruth(opened, opened.numbers);
  });

  it('wait while nothing freezes, as each fold must be synced', async () => {
    const opened = open();
    const [one = 0] = await addCustomers(opened.store, 1);
    await opened.store.recordUsage([newUsage(one)], testStartMs);
    expect(await opened.store.freezeDeliveries(testStartMs - 5_000)).toBe(0);
    expect(await opened.store.freezeDeliveries(testStartMs - 5_000, { customerId: 'cus_9' })).toBe(0);
    expect(behind(opened)).toBe(1);
  });

  it('keep their delivery open, as the database itself sees to', async () => {
    const { database } = await openBehind();
    const freeze = "UPDATE deliveries SET state = 'pending' WHERE state = 'open'";
    expect(() => database.connection.exec(freeze)).toThrow('with all its rows counted');
  });

  it('are folded in with what is taken back, of open deliveries and of frozen ones', async () => {
    const opened = await openBehind();
    await opened.store.voidUsage({ ...order, usageId: 1 }, act);
    await expectTruth(opened, opened.numbers);
    await opened.store.freezeDeliveries(testStartMs + 5_000);
    await opened.store.voidUsage({ ...order, usageId: 2 }, act);
    expect(await opened.store.listUsage(month, 'customer')).toEqual([
      { customerId: 'cus_1', units: 5, requests: 2 },
      { customerId: 'cus_2', units: 0, requests: 1 },
    ]);
    await expectTruth(opened, opened.numbers);
  });

  it('are never many, whoever records', async () => {
    const opened = open();
    const numbers = await addCustomers(opened.store, 1);
    const [one = 0] = numbers;
    let most = 0;
    for (let batch = 1; batch <= 40; batch += 1) {
      const rows = Array.from({ length: 80 }, (_, n) =>
        newUsage(one, { atMs: testStartMs + (n % 3) * DAY_MS }),
      );
      const recorded = await opened.store.recordUsage(rows, testStartMs);
      expect(recorded.at(-1)?.periodUnits).toBe(batch * 80);
      most = Math.max(most, behind(opened));
    }
    expect(most).toBeGreaterThan(500);
    expect(most).toBeLessThan(1_000);
    await expectTruth(opened, numbers);
  });
});

describe('the ledger, however long', () => {
  it('is read as a whole by no statement, nor are its roll-ups', async () => {
    const { database } = open();
    const statements: string[] = [];
    const { connection } = database;
    const prepare = connection.prepare.bind(connection);
    const noting = Object.assign(Object.create(connection), {
      prepare: (sql: string) => {
        statements.push(sql);
        return prepare(sql);
      },
    });
    const store = createStore({ ...database, connection: noting }, createFakeHost());
    await addCustomers(store, 1);
    const filters = [{}, { customerId: 'cus_1' }, { route: 'GET /api' }];
    for (const filter of filters) await store.sumUsage({ fromMs: 1, toMs: testStartMs, ...filter });
    for (const by of ['day', 'hour', 'customer'] as const)
      await store.listUsage({ fromMs: 1, toMs: testStartMs }, by);
    expect(statements.length).toBeGreaterThan(100);
    // It plans for keys of customers that change, too.
    connection.pragma('foreign_keys = OFF');
    for (const sql of statements.filter((statement) => !statement.includes('LIMIT'))) {
      const plan = prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll(/:\w+|\?/g, '1')}`).all();
      expect(JSON.stringify(plan), sql).not.toMatch(/SCAN (usage|u|day_sums|period_sums)\b/);
    }
  });
});

/** The database as every process of it leaves it when it is killed, opened anew. */
function afterCrash({ path: left }: Opened): Opened {
  const path = join(createTestFolder(), 'meterctl.db');
  for (const file of ['', '-wal']) copyFileSync(left + file, path + file);
  return open(path);
}

describe('a process that is gone', () => {
  it('leaves rows that the next one finds and folds in once', async () => {
    const opened = await openBehind();
    const next = afterCrash(opened);
    expect(behind(next)).toBe(3);
    await expectTruth(next, opened.numbers);
    const [recorded] = await next.store.recordUsage([newUsage(opened.one, { units: 100 })], testStartMs);
    expect(recorded?.periodUnits).toBe(108);
    await next.store.freezeDeliveries(testStartMs + 5_000);
    await next.store.freezeDeliveries(testStartMs + 5_000);
    await expectTruth(next, opened.numbers);
  });
});

describe('a commit that fails', () => {
  it('leaves nothing in the periods of the next one, whoever uses its numbers', async () => {
    const { path, database, store, one, two } = await openBehind();
    const record = (no: number, units: number) => store.recordUsage([newUsage(no, { units })], testStartMs);
    database.connection.exec(doomSql);
    const fail = () =>
      store.recordUsage([newUsage(one, { units: 1_000, idempotencyKey: 'bad' })], testStartMs);
    await expect(fail()).rejects.toThrow('FOREIGN KEY');
    expect(await record(one, 1)).toMatchObject([{ periodUnits: 9 }]);
    await store.freezeDeliveries(testStartMs);
    await expect(fail()).rejects.toThrow('FOREIGN KEY');
    await open(path).store.recordUsage([newUsage(two)], testStartMs);
    expect(await record(one, 1)).toMatchObject([{ periodUnits: 10 }]);
    await expect(fail()).rejects.toThrow('FOREIGN KEY');
    await store.voidUsage({ ...order, usageId: 2 }, act);
    expect(await record(two, 1)).toMatchObject([{ periodUnits: 2 }]);
    expect(await record(one, 1)).toMatchObject([{ periodUnits: 11 }]);
    // Both at once: the second begins before the first is known to have failed.
    const [failed, second] = await Promise.allSettled([fail(), record(one, 1)]);
    expect(failed.status).toBe('rejected');
    expect(second).toMatchObject({ value: [{ periodUnits: 12 }] });
  });

  it('leaves behind the roll-ups what it had folded in, though it added no row', async () => {
    const { path, database, store, one } = await openBehind();
    const call = { step: 'open', onAbort: 'delivered', seenAtMs: testStartMs } as const;
    const other = open(path).store;
    await other.recordUsage([newUsage(one, { units: 0, call: { ...call, id: 'call_1' } })], testStartMs);
    database.connection.exec(`
      CREATE TRIGGER refuses BEFORE INSERT ON open_calls BEGIN SELECT RAISE(ABORT, 'no more calls'); END`);
    const record = (units: number) => store.recordUsage([newUsage(one, { units })], testStartMs);
    const begin = () => store.recordUsage([newUsage(one, { call: { ...call, id: 'call_2' } })], testStartMs);
    expect(await record(1)).toMatchObject([{ periodUnits: 9 }]);
    // While a call runs there, whatever another process writes has everything folded in.
    await other.check();
    await expect(begin()).rejects.toThrow('no more calls');
    expect(await record(1)).toMatchObject([{ periodUnits: 10 }]);
    await other.check();
    await expect(record(Number.MAX_SAFE_INTEGER)).rejects.toThrow('can be added up');
    expect(await record(1)).toMatchObject([{ periodUnits: 11 }]);
  });
});

describe('usage that no sum can hold', () => {
  it('is refused with its commit, so that everything else is folded in and sent', async () => {
    const opened = await openBehind();
    const { store, one, two } = opened;
    const record = (units: number, rows: number) =>
      store.recordUsage(
        Array.from({ length: rows }, () => newUsage(one, { units })),
        testStartMs,
      );
    await expect(record(2 ** 52, 2_100)).rejects.toThrow('can be added up');
    await expect(record(-(2 ** 52), 3)).rejects.toThrow('can be added up');
    await record(10 ** 15 - 1, 9);
    await expect(record(10 ** 15 - 1, 1)).rejects.toThrow('can be added up');
    const [recorded] = await store.recordUsage([newUsage(two)], testStartMs);
    expect(recorded?.periodUnits).toBe(5);
    expect(await store.freezeDeliveries(testStartMs + 5_000)).toBe(3);
    await expectTruth(opened, opened.numbers);
  });
});

/** Back to the schema in which an index told the rows of a delivery. */
const undoRowsSql = `
  DROP TRIGGER rollup_mark_moves; DROP TABLE delivery_rows;
  CREATE INDEX usage_of_delivery ON usage (delivery_no);
  PRAGMA user_version = 16;`;

describe('a ledger with an index of its deliveries', () => {
  it('loses it and keeps what it told, also under a process that still has it', async () => {
    const first = await openBehind();
    const { store, database, numbers, one, path } = first;
    await store.freezeDeliveries(testStartMs, {});
    await store.recordUsage([newUsage(one, { units: 6 }), newUsage(one, { units: 7 })], testStartMs);
    database.connection.exec(undoRowsSql);

    const next = open(path);
    expect(behind(next)).toBe(2);
    await expectTruth(next, numbers);
    await first.database.write(createRollups(first.database.connection).fold);
    expect(behind(next)).toBe(0);
    await expectTruth(next, numbers);
    await rebuildRollups(next.database);
    await expectTruth(next, numbers);
  });
});

describe('a process of an earlier version that still runs', () => {
  /** Back to the schema before: nothing of it has changed but the names. */
  const undoSql = `${undoRowsSql}
    DROP TRIGGER deliveries_freeze_whole;
    DROP VIEW usage_periods; DROP VIEW usage_days; DROP VIEW unfolded_usage; DROP TABLE rollup_mark;
    ALTER TABLE day_sums RENAME TO usage_days;
    ALTER TABLE period_sums RENAME TO usage_periods;
    PRAGMA user_version = 15;`;

  /** The statements as they were, in the order of a commit. */
  const oldSql = {
    grow: "UPDATE deliveries SET units = units + ? WHERE customer_no = ? AND state = 'open' RETURNING no",
    row: 'INSERT INTO usage (delivery_no, customer_no, key_no, route_no, at_ms, units) VALUES (2, ?, NULL, 1, ?, ?)',
    day: `INSERT INTO usage_days (day, customer_no, key_no, route_no, units, requests) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET units = units + excluded.units, requests = requests + excluded.requests`,
    period: `INSERT INTO usage_periods (customer_no, meter_no, period_start_ms, units) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET units = units + excluded.units RETURNING units`,
    freeze: `UPDATE deliveries SET state = CASE WHEN units = 0 THEN 'delivered' ELSE 'pending' END,
      delivered_at_ms = CASE WHEN units = 0 THEN 1 END WHERE state = 'open'`,
  };

  it('can neither record nor freeze, as it would count twice what is folded in', async () => {
    const first = open();
    const numbers = await addCustomers(first.store, 1);
    const [one = 0] = numbers;
    await first.store.recordUsage([newUsage(one, { units: 3 })], testStartMs);
    await first.store.freezeDeliveries(testStartMs, {});
    await first.store.recordUsage([newUsage(one, { units: 4 })], testStartMs);
    await first.database.write(createRollups(first.database.connection).fold);
    first.database.connection.exec(undoSql);
    const old = new Sqlite(first.path);
    onTestFinished(() => void old.close());
    const [grow, row, day, period, freeze] = Object.values(oldSql).map((sql) => old.prepare(sql));
    const record = old.transaction(() => {
      grow?.get(7, one);
      row?.run(one, testStartMs, 7);
      day?.run(Math.floor(testStartMs / DAY_MS), one, 0, 1, 7, 1);
      period?.get(one, 1, testPeriod.startMs, 7);
    });
    record.immediate();

    const next = open(first.path);
    await expectTruth(next, numbers);
    expect(() => record.immediate()).toThrow('cannot modify usage_days because it is a view');
    expect(() => period?.get(one, 1, testPeriod.startMs, 7)).toThrow('because it is a view');
    const [recorded] = await next.store.recordUsage([newUsage(one, { units: 1 })], testStartMs);
    expect(recorded?.periodUnits).toBe(15);
    expect(() => freeze?.run()).toThrow('with all its rows counted');
    await expectTruth(next, numbers);
  });
});

describe('any history', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: recording(fc.integer({ min: 1, max: 5 })) },
    { weight: 1, arbitrary: recording(fc.constant(600)) },
    {
      weight: 2,
      arbitrary: fc.record({ does: fc.constant('void' as const), by: fc.nat(1), pick: fc.nat() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ does: fc.constant('freeze' as const), by: fc.nat(1), all: fc.boolean() }),
    },
  );

  function recording(rows: fc.Arbitrary<number>) {
    return fc.record({
      does: fc.constant('record' as const),
      by: fc.nat(1),
      customer: fc.nat(2),
      offsetMs: fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }),
      rows,
    });
  }

  it('of two processes is told as the plain ledger tells it, at every step', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const first = open();
        const both = [first, open(first.path)];
        const numbers = await addCustomers(first.store, 3);
        const periods = new Map<number, number>();
        for (const { by, ...step } of steps) {
          const { store } = both[by]!;
          if (step.does === 'record') {
            const no = numbers[step.customer]!;
            const usage = newUsage(no, { units: 2, atMs: testStartMs + step.offsetMs });
            const before = periods.get(no) ?? 0;
            const recorded = await store.recordUsage(
              Array.from({ length: step.rows }, () => usage),
              testStartMs,
            );
            expect(recorded.map(({ periodUnits }) => periodUnits)).toEqual(
              recorded.map((_, index) => before + 2 * (index + 1)),
            );
            periods.set(no, before + 2 * step.rows);
          } else if (step.does === 'freeze') {
            await store.freezeDeliveries(testStartMs, step.all ? {} : undefined);
          } else {
            await voidSome(first, store, step.pick, periods);
          }
          await expectTruth(both[1 - by]!, numbers);
        }
      }),
      { numRuns: 25 },
    );
  });

  const deadly = fc.oneof(
    { weight: 5, arbitrary: recording(fc.integer({ min: 1, max: 5 })) },
    { weight: 1, arbitrary: recording(fc.constant(1_001)) },
    {
      weight: 9,
      arbitrary: fc.record({
        does: fc.constantFrom(
          'fail',
          'void',
          'freeze',
          'early',
          'send',
          'send',
          'reject',
          'rebuild',
          'crash',
        ),
        by: fc.nat(1),
        pick: fc.nat(),
      }),
    },
  );

  it('of processes that send, fail and die sends what the plain ledger has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deadly, { maxLength: 30 }), async (steps) => {
        const first = open();
        const [, ...numbers] = await addCustomers(first.store, 3);
        first.database.connection.exec(doomSql);
        let both = [first, open(first.path)];
        for (const step of steps) {
          const one = both[step.by]!;
          if (step.does === 'crash') {
            const next = afterCrash(one);
            await Promise.all(both.map(({ database }) => database.close()));
            both = [next, open(next.path)];
          } else await liveOn(one, step, numbers);
          for (const each of both) await expectExact(each);
        }
      }),
      { numRuns: 30 },
    );
  });

  type Step = typeof deadly extends fc.Arbitrary<infer T> ? T : never;

  async function liveOn(one: Opened, step: Step, numbers: readonly number[]): Promise<void> {
    const { store, database } = one;
    const nowMs = testStartMs;
    if ('rows' in step) {
      const usage = newUsage(numbers[step.customer % 2]!, { units: 2, atMs: nowMs + step.offsetMs });
      const before = await store.findPeriodUnits(usage.customerNo, usage.meter, usage.periodStartMs);
      const recorded = await store.recordUsage(
        Array.from({ length: step.rows }, () => usage),
        nowMs,
      );
      expect(recorded.at(-1)?.periodUnits).toBe(before + 2 * step.rows);
      return;
    }
    const { does, pick } = step;
    const rows = Array.from({ length: 1 + (pick % 4) }, () => newUsage(numbers[0]!, { units: 7 }));
    const bad = newUsage(numbers[1]!, { idempotencyKey: 'bad' });
    if (does === 'fail')
      await expect(store.recordUsage([...rows, bad], nowMs)).rejects.toThrow('FOREIGN KEY');
    if (does === 'void') await voidSome(one, store, pick, new Map());
    if (does === 'freeze') await store.freezeDeliveries(nowMs);
    if (does === 'early') await store.freezeDeliveries(nowMs, pick % 2 ? {} : { customerId: 'cus_2' });
    if (does === 'send') await sendSome(one, pick);
    if (does === 'reject') {
      const [delivery] = (await store.listDeliveries({ state: 'delivered' }, { limit: 1 })).data;
      const { id = '', identifierNumber = 1 } = delivery ?? {};
      await store.rejectDeliveries([{ id, identifierNumber, reason: 'told later' }]);
      await store.retryDeliveries(pick % 2 ? [id] : [], nowMs);
    }
    if (does === 'rebuild') await rebuildRollups(database);
  }

  async function sendSome({ store }: Opened, pick: number): Promise<void> {
    const claimed = await store.claimDeliveries({ nowMs: testStartMs, leaseMs: 1, limit: 10 });
    const atMs = testStartMs;
    const outcomes = [
      { kind: 'delivered' },
      { kind: 'refused', reason: 'no' },
      { kind: 'uncertain', reason: 'nobody knows' },
      { kind: 'retry', reason: 'busy', atMs, nextKey: false, processed: 'no' },
    ] as const;
    const outcome = outcomes[pick % outcomes.length]!;
    await store.settleDeliveries(
      claimed.map(({ id, claimId, identifierNumber }) => ({ id, claimId, identifierNumber, outcome })),
      atMs,
    );
  }

  /** Units as they are told of every delivery, and as they stand in those that are not open, beside the rows of each. */
  async function expectExact({ database, store }: Opened): Promise<void> {
    const { data } = await store.listDeliveries({}, { limit: 1_000 });
    const told = new Map(data.map(({ id, units }) => [id, units]));
    const rows = database.connection
      .prepare<[], { id: string; state: string; units: number; ledger: number }>(
        `SELECT id, state, units, (SELECT sum(units) FROM usage WHERE delivery_no = d.no) AS ledger FROM deliveries d`,
      )
      .all();
    const exact = rows.map(({ id, ledger }) => ({ id, told: ledger, stands: ledger }));
    expect(
      rows.map(({ id, state, units, ledger }) => ({
        id,
        told: told.get(id),
        stands: state === 'open' ? ledger : units,
      })),
    ).toEqual(exact);
    const [periods, ledger] = [
      'SELECT customer_no, sum(units) FROM usage_periods GROUP BY 1',
      'SELECT customer_no, sum(units) FROM usage GROUP BY 1',
    ].map((sql) => database.connection.prepare(sql).raw().all());
    expect(periods).toEqual(ledger);
  }

  async function voidSome({ database }: Opened, store: Store, pick: number, periods: Map<number, number>) {
    const rows = database.connection
      .prepare<[], { id: number; no: number; units: number }>(
        `SELECT id, customer_no AS no, units FROM usage WHERE units > 0
           AND id NOT IN (SELECT voids_usage_id FROM usage_notes WHERE voids_usage_id IS NOT NULL)`,
      )
      .all();
    const row = rows[pick % Math.max(1, rows.length)];
    if (!row) return;
    expect(await store.voidUsage({ ...order, usageId: row.id }, act)).toMatchObject({ recorded: 'new' });
    periods.set(row.no, (periods.get(row.no) ?? 0) - row.units);
  }
});
