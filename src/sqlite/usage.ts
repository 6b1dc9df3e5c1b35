/** The ledger, in SQLite: each batch of usage, its deliveries and its roll-ups in one commit. */

import assert from 'node:assert';
import type { UsageStore } from '../domain/store.js';
import type { NewUsage, RecordedUsage } from '../domain/usage.js';
import type { Ids } from '../lib/host.js';
import type { AuditWriter } from './audit.js';
import { createNames } from './names.js';
import type { Database } from './open.js';
import { createOpenCalls } from './open-calls.js';
import { createOtherUsage } from './other-usage.js';
import { createRecentUsage } from './recent-usage.js';
import {
  addToBatch,
  type Batch,
  createBatch,
  dayOf,
  type Entry,
  type EntryGroups,
  type Group,
  periodInBatch,
} from './usage-batch.js';
import { createRepeatQuery, createRepeats } from './usage-repeats.js';
import { createRowWriter, type RowWriter, type UsageRow } from './usage-rows.js';
import { upsertDaySql, upsertPeriodSql } from './usage-statements.js';
import { createUsageSums } from './usage-sums.js';
import { createVoids } from './usage-voids.js';
import { createWindowUnits } from './window-units.js';

/** Most calls add to a delivery that is open already, which is tried first. */
const growDeliverySql = `
UPDATE deliveries SET units = units + ?
WHERE customer_no = ? AND meter_no = ? AND window_start_ms = ? AND window_end_ms = ? AND period_start_ms = ?
  AND state = 'open'
RETURNING no`;

const openDeliverySql = `
INSERT INTO deliveries (
  units, customer_no, meter_no, window_start_ms, window_end_ms, period_start_ms, id, timestamp_ms, state, next_attempt_at_ms
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)
RETURNING no`;

const findPeriodSql = `
SELECT units FROM usage_periods WHERE customer_no = ? AND meter_no = ? AND period_start_ms = ?`;

/** The ledger part of the contract. */
export function createUsage(database: Database, ids: Ids, audit: AuditWriter): UsageStore {
  const { connection, read, write } = database;
  const meters = createNames(database, 'meters', 'event_name');
  const routes = createNames(database, 'routes', 'name');
  const findPeriod = connection.prepare<[number, number, number], number>(findPeriodSql).pluck();
  const openCalls = createOpenCalls(database);
  const others = createOtherUsage(database, openCalls.isOwn);
  const insertRows = createRowWriter(connection);
  const recordEntries = createRecorder({ database, ids, openCalls, insertRows });
  return {
    ...createUsageSums(database, routes),
    ...createRecentUsage(database),
    ...createRepeatQuery(database),
    ...openCalls.contract,
    ...createVoids({ database, ids, audit, insertRows }),
    ...createWindowUnits(database),
    otherUsage: async () => others.revision(),
    async recordUsage(usages, nowMs) {
      usages.forEach(check);
      const entries: Entry[] = [];
      for (const usage of usages) {
        // One after the other, and awaited only where a name is new.
        const meterNo = meters.recall(usage.meter) ?? (await meters.intern(usage.meter));
        const routeNo = routes.recall(usage.route) ?? (await routes.intern(usage.route));
        entries.push({ usage, meterNo, routeNo });
      }
      const recorded = await write(() => recordEntries(entries, nowMs));
      entries.forEach(openCalls.note);
      others.noteOwn(recorded);
      return recorded;
    },
    async findPeriodUnits(customerNo, meter, periodStartMs) {
      return read(() => {
        const meterNo = meters.find(meter);
        return (meterNo !== undefined && findPeriod.get(customerNo, meterNo, periodStartMs)) || 0;
      });
    },
  };
}

/** Records entries inside a transaction of the caller; one result an entry, in order. */
function createRecorder({
  database,
  ids,
  openCalls,
  insertRows,
}: {
  database: Database;
  ids: Ids;
  openCalls: ReturnType<typeof createOpenCalls>;
  insertRows: RowWriter;
}): (entries: readonly Entry[], nowMs: number) => RecordedUsage[] {
  const { connection } = database;
  const findPeriod = connection.prepare<[number, number, number], number>(findPeriodSql).pluck();
  const repeats = createRepeats(connection);
  const storeGroups = createGroupWriter(database, ids);

  function periodUnits(entry: Entry, batch: Batch): number {
    const { customerNo, periodStartMs } = entry.usage;
    const inBatch = periodInBatch(batch, entry)?.stored;
    return inBatch ?? findPeriod.get(customerNo, entry.meterNo, periodStartMs) ?? 0;
  }

  function noteRow({ usage }: Entry, period: Group, id: number, nowMs: number): RecordedUsage {
    const { units } = usage;
    period.stored += units;
    const recorded: RecordedUsage = { id, recorded: 'new', units, periodUnits: period.stored };
    repeats.note(recorded, usage, nowMs);
    return recorded;
  }

  return (entries, nowMs) => {
    const steps = entries.map(openCalls.step);
    const repeated = repeats.find(
      entries.map(({ usage }) => usage),
      (index) => steps[index] === undefined,
      nowMs,
    );
    const batch = createBatch();
    const groups = entries.map((entry, index) =>
      steps[index] || repeated.has(index) ? undefined : addToBatch(batch, entry),
    );
    storeGroups(batch);
    const rows: UsageRow[] = [];
    entries.forEach((entry, index) => {
      const group = groups[index];
      if (group) rows.push(rowOf(entry, group));
    });
    let id = insertRows(rows) - 1;
    return entries.map((entry, index) => {
      const [group, step] = [groups[index], steps[index]];
      if (group) return noteRow(entry, group.period, ++id, nowMs);
      const unchanged = step ?? { ...repeats.firstOf(entry.usage, nowMs), recorded: 'repeat' };
      return { ...unchanged, periodUnits: periodUnits(entry, batch) };
    });
  };
}

/** The row of an entry that was added to the batch. */
function rowOf({ usage, routeNo }: Entry, { delivery }: EntryGroups): UsageRow {
  const { customerNo, keyNo, atMs, units } = usage;
  return [delivery.stored, customerNo, keyNo, routeNo, atMs, units];
}

/** Units, and what tells the open delivery that they are added to. */
type DeliveryGrowth = [
  units: number,
  customerNo: number,
  meterNo: number,
  startMs: number,
  endMs: number,
  periodStartMs: number,
];

/** Writes a batch's open deliveries and roll-ups, and notes in each group what stands there now. */
function createGroupWriter({ connection }: Database, ids: Ids): (batch: Batch) => void {
  const growDelivery = connection.prepare<DeliveryGrowth, number>(growDeliverySql).pluck();
  const openDelivery = connection
    .prepare<[...DeliveryGrowth, id: string, timestampMs: number, nextAttemptAtMs: number], number>(
      openDeliverySql,
    )
    .pluck();
  const upsertDay = connection.prepare<[number, number, number, number, number, number]>(upsertDaySql);
  const upsertPeriod = connection.prepare<[number, number, number, number], number>(upsertPeriodSql).pluck();

  return ({ deliveries, days, periods }) => {
    for (const group of deliveries) {
      const { usage, meterNo } = group.first;
      const { customerNo, window, periodStartMs, atMs } = usage;
      const growth: DeliveryGrowth = [
        group.units,
        customerNo,
        meterNo,
        window.startMs,
        window.endMs,
        periodStartMs,
      ];
      const no =
        growDelivery.get(...growth) ?? openDelivery.get(...growth, ids.next('dlv'), atMs, window.endMs);
      assert(no !== undefined);
      group.stored = no;
    }
    for (const { first, units, requests } of days) {
      const { atMs, customerNo, keyNo } = first.usage;
      upsertDay.run(dayOf(atMs), customerNo, keyNo ?? 0, first.routeNo, units, requests);
    }
    for (const group of periods) {
      const { usage, meterNo } = group.first;
      const units = upsertPeriod.get(usage.customerNo, meterNo, usage.periodStartMs, group.units);
      assert(units !== undefined);
      group.stored = units - group.units;
    }
  };
}

/** One bad entry would fail its whole batch, so it is refused before anything is written. */
function check({ units, atMs, window }: NewUsage): void {
  assert(Number.isSafeInteger(units), 'units are whole numbers');
  assert(
    Number.isSafeInteger(atMs) && atMs >= window.startMs && atMs < window.endMs,
    'usage lies in its window',
  );
}

/**
 * Empties both roll-ups and adds the whole ledger up again, in one transaction: the ledger alone is the truth. Takes about
 * a second a million rows.
 */
export async function rebuildRollups({ connection, write }: Database): Promise<void> {
  await write(() => {
    connection.exec(`
      DELETE FROM usage_days;
      INSERT INTO usage_days (day, customer_no, key_no, route_no, units, requests)
      SELECT at_ms / 86400000, customer_no, COALESCE(key_no, 0), route_no, sum(units), sum(units >= 0)
      FROM usage GROUP BY 1, 2, 3, 4;

      DELETE FROM usage_periods;
      INSERT INTO usage_periods (customer_no, meter_no, period_start_ms, units)
      SELECT d.customer_no, d.meter_no, d.period_start_ms, sum(u.units)
      FROM usage u JOIN deliveries d ON d.no = u.delivery_no GROUP BY 1, 2, 3;
    `);
  });
}
