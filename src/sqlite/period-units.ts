/** What billing periods have come to, as each commit of usage tells it: by the roll-up, or as remembered since it moved. */

import type { Database as Connection } from 'better-sqlite3';
import type { Rollups } from './rollups.js';
import type { Entry, Group } from './usage-batch.js';

/**
 * So many rows are folded in by the commit that brings the last of them, in some milliseconds where each is another
 * customer's: whoever reads adds up the rest.
 */
const behindMax = 1_000;

const findPeriodSql = `
SELECT units FROM period_sums WHERE customer_no = ? AND meter_no = ? AND period_start_ms = ?`;

/** The units of periods, inside a transaction of the caller's. */
export interface PeriodUnits {
  /** First of all, with the present revision (`OtherUsage`). Folds in what this process does not know. */
  begin(revision: number): void;
  /** The units of the entry's period, without rows that this transaction adds. */
  find(entry: Entry): number;
  /** After rows were added: where their periods stand now, and the last one's id. */
  note(periods: readonly Group[], lastId: number): void;
  /** After the commit: the last row that it added. */
  noteOwn(lastId: number): void;
}

/** How far what is remembered goes. */
interface Reach {
  revision: number;
  folds: number;
  /** The last row that is remembered; none from when rows are folded in until the next one. */
  lastId: number | undefined;
  /** The last row that was folded in. */
  mark: number;
}

/** Remembers the periods that this process has added to since the roll-ups moved, as nobody should add that up for each call. */
export function createPeriodUnits(connection: Connection, rollups: Rollups): PeriodUnits {
  const findPeriod = connection.prepare<[number, number, number], number>(findPeriodSql).pluck();
  /** Of all periods that have rows behind the roll-up. */
  const sums = new Map<string, number>();
  /** The ledger in which they are. Whatever else this process writes there, it folds in. */
  let asOf: Reach = { revision: -1, folds: 0, lastId: undefined, mark: 0 };
  /** The last row that is committed: another one may have been taken back with its transaction. */
  let ownLastId = 0;

  function fold(revision: number): void {
    sums.clear();
    const lastId = rollups.fold();
    // A transaction that adds no row may be taken back, and this with it: nobody would see.
    asOf = { revision, folds: rollups.folds(), lastId: undefined, mark: lastId };
  }

  return {
    begin(revision) {
      const isKnown = revision === asOf.revision && rollups.folds() === asOf.folds;
      if (!isKnown || ownLastId !== asOf.lastId) fold(revision);
    },
    find(entry) {
      const { usage, meterNo } = entry;
      return sums.get(nameOf(entry)) ?? findPeriod.get(usage.customerNo, meterNo, usage.periodStartMs) ?? 0;
    },
    note(periods, lastId) {
      for (const { first, stored } of periods) sums.set(nameOf(first), stored);
      if (lastId - asOf.mark >= behindMax) fold(asOf.revision);
      asOf.lastId = lastId;
    },
    noteOwn(lastId) {
      ownLastId = lastId;
    },
  };
}

function nameOf({ usage, meterNo }: Entry): string {
  return `${usage.customerNo} ${meterNo} ${usage.periodStartMs}`;
}
