/** The ledger, in SQLite: each batch of usage and its deliveries in one commit. */

import assert from 'node:assert';
import { nameRunner } from '../domain/runner.js';
import type { UsageStore } from '../domain/store.js';
import type { NewUsage, RecordedUsage } from '../domain/usage.js';
import type { Host } from '../lib/host.js';
import type { AuditWriter } from './audit.js';
import { createNames, type Names } from './names.js';
import type { Database } from './open.js';
import { createOpenCalls } from './open-calls.js';
import { createOtherUsage } from './other-usage.js';
import { createPeriodUnits } from './period-units.js';
import { createRecentUsage } from './recent-usage.js';
import type { Rollups } from './rollups.js';
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
  { host, audit, rollups }: { host: Pick<Host, 'ids' | 'processes'>; audit: AuditWriter; rollups: Rollups },
): UsageStore {
  const { connection, read, write } = database;
  const { ids, processes } = host;
  const meters = createNames(database, 'meters', 'event_name');
  const routes = createNames(database, 'routes', 'name');
  const openCalls = createOpenCalls(database, nameRunner(ids, processes));
  const others = createOtherUsage(connection, openCalls);
  const counts = createUnitCounts(database, { meters, openCalls, others });
  const insertRows = createRowWriter(connection);
  const beginRoomCheck = createRoomChecks({ ledgerUnits: counts.ledgerUnits, openCalls });
  const periods = createPeriodUnits(connection, rollups);
  const recording = { openCalls, others, beginRoomCheck };
  const recordEntries = createRecorder({ database, ids, insertRows, periods, ...recording });
  const recordProgress = createProgressRecorder(recording);
  const entriesOf = createEntries(meters, routes);

  function record(entries: readonly Entry[], nowMs: number): RecordedUsage[] | Promise<RecordedUsage[]> {
    const recorded = write(() => recordEntries(entries, nowMs));
    return recorded instanceof Promise ? recorded.then(noteOwn) : noteOwn(recorded);
  }

  /** After the commit, as what was taken back leaves its numbers to others. */
  function noteOwn(recorded: RecordedUsage[]): RecordedUsage[] {
    const last = recorded.findLast((one) => one.recorded === 'new');
    if (last) {
      others.noteOwn(last.id);
      periods.noteOwn(last.id);
    }
    return recorded;
  }

  return {
    ...createUsageSums(database, routes),
    ...createRecentUsage(database),
    ...createRepeatQuery(database),
    ...createVoids({ database, ids, audit, insertRows, rollups }),
    ...counts.contract,
    otherUsage: async () => read(others.revision),
    ...openCalls.contract,
    recordProgress: async (calls) => (calls.length > 0 ? write(() => recordProgress(calls)) : []),
    recordUsage(usages, nowMs) {
      try {
        const entries = entriesOf(usages);
        if (!(entries instanceof Promise)) return record(entries, nowMs);
        return entries.then((named) => record(named, nowMs));
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
}

/** Checks usages and finds the numbers of their names; a value where memory has all of these. Throws where one is bad. */
function createEntries(
  meters: Names,
  routes: Names,
): (usages: readonly NewUsage[]) => Entry[] | Promise<Entry[]> {
  function recall(usage: NewUsage): Entry | undefined {
    const meterNo = meters.recall(usage.meter);
    const routeNo = routes.recall(usage.route);
    return meterNo === undefined || routeNo === undefined ? undefined : { usage, meterNo, routeNo };
  }

  async function intern(usages: readonly NewUsage[]): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const usage of usages) {
      const meterNo = meters.recall(usage.meter) ?? (await meters.intern(usage.meter));
      const routeNo = routes.recall(usage.route) ?? (await routes.intern(usage.route));
      entries.push({ usage, meterNo, routeNo });
    }
    return entries;
  }

  return (usages) => {
    usages.forEach(check);
    const entries = usages.map(recall);
    return entries.every((entry) => entry !== undefined) ? entries : intern(usages);
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
