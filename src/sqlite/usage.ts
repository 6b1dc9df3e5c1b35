/** The ledger, in SQLite: each batch of usage, its deliveries and its roll-ups in one commit. */

import assert from 'node:assert';
import { nameRunner } from '../domain/runner.js';
import type { UsageStore } from '../domain/store.js';
import type { NewUsage } from '../domain/usage.js';
import type { Host } from '../lib/host.js';
import type { AuditWriter } from './audit.js';
import { createNames } from './names.js';
import type { Database } from './open.js';
import { createOpenCalls } from './open-calls.js';
import { createOtherUsage } from './other-usage.js';
import { createRecentUsage } from './recent-usage.js';
import { createRoomChecks } from './room.js';
import { createUnitCounts } from './unit-counts.js';
import type { Entry } from './usage-batch.js';
import { createProgressRecorder, createRecorder } from './usage-recorder.js';
import { createRepeatQuery } from './usage-repeats.js';
import { createRowWriter } from './usage-rows.js';
import { createUsageSums } from './usage-sums.js';
import { createVoids } from './usage-voids.js';

/** The ledger part of the contract. */
export function createUsage(
  database: Database,
  { ids, processes }: Pick<Host, 'ids' | 'processes'>,
  audit: AuditWriter,
): UsageStore {
  const { connection, read, write } = database;
  const meters = createNames(database, 'meters', 'event_name');
  const routes = createNames(database, 'routes', 'name');
  const openCalls = createOpenCalls(database, nameRunner(ids, processes));
  const others = createOtherUsage(connection, openCalls);
  const counts = createUnitCounts(database, { meters, openCalls, others });
  const insertRows = createRowWriter(connection);
  const beginRoomCheck = createRoomChecks({ ledgerUnits: counts.ledgerUnits, openCalls, others });
  const recordEntries = createRecorder({ database, ids, openCalls, insertRows, beginRoomCheck });
  const recordProgress = createProgressRecorder({ openCalls, beginRoomCheck });
  return {
    ...createUsageSums(database, routes),
    ...createRecentUsage(database),
    ...createRepeatQuery(database),
    ...createVoids({ database, ids, audit, insertRows }),
    ...counts.contract,
    otherUsage: async () => read(others.revision),
    ...openCalls.contract,
    recordProgress: async (calls) => (calls.length > 0 ? write(() => recordProgress(calls)) : []),
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
      others.noteOwn(recorded);
      return recorded;
    },
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
