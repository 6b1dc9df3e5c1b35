/** How much a key or customer has used in a window, in SQLite: what limits begin to count from. */

import type { Database as Connection } from 'better-sqlite3';
import type { Period } from '../domain/subscription.js';
import type { UsageOwner, WindowSum } from '../domain/usage-counts.js';
import { daysSpanSql, dayUnitsSql } from './day-units.js';
import { foldedRowsSql } from './rollups.js';

const DAY_MS = 86_400_000;

/** Whole days. */
function daysSql(whose: string): string {
  const arms = dayUnitsSql.map((from) => `SELECT r.units ${from} AND ${whose}`);
  return `
WITH RECURSIVE ${daysSpanSql}
SELECT COALESCE(sum(units), 0) FROM (${arms.join(' UNION ALL ')})`;
}

const touchesRange = `
d.window_start_ms > :fromMs - ${DAY_MS} AND d.window_start_ms < :toMs AND d.window_end_ms > :fromMs`;

const isInRange = 'u.at_ms >= :fromMs AND u.at_ms < :toMs';

/** A part of a day. A customer's delivery that lies in it as a whole tells what all of its rows come to; of a key each row is read. */
const edgeSql = {
  customer: `
SELECT COALESCE(sum(units), 0) AS units, 0 AS rows FROM (
  SELECT CASE WHEN d.window_start_ms >= :fromMs AND d.window_end_ms <= :toMs THEN d.units ELSE (
    SELECT COALESCE(sum(u.units), 0) FROM ${foldedRowsSql} AND ${isInRange}
  ) END AS units
  FROM deliveries d INDEXED BY deliveries_of_customer
  WHERE d.customer_no = :no AND ${touchesRange}
  UNION ALL
  SELECT u.units FROM unfolded_usage u WHERE u.customer_no = :no AND ${isInRange}
)`,
  key: `
SELECT COALESCE(sum(units), 0) AS units, count(*) AS rows FROM (
  SELECT u.units FROM deliveries d INDEXED BY deliveries_of_customer CROSS JOIN ${foldedRowsSql}
  WHERE d.customer_no = (SELECT customer_no FROM keys WHERE no = :no) AND ${touchesRange}
    AND u.key_no = :no AND ${isInRange}
  UNION ALL
  SELECT u.units FROM unfolded_usage u WHERE u.key_no = :no AND ${isInRange}
)`,
};

const daysOf = {
  customer: 'r.customer_no = :no',
  key: 'r.customer_no = (SELECT customer_no FROM keys WHERE no = :no) AND r.key_no = :no',
};

/** A key's rows after one of the ledger. They are numbered in the order of their commits, so they are found by number. */
const tailSql = `
SELECT COALESCE(sum(units), 0) FROM usage
WHERE id > :lastUsageId AND key_no = :no AND at_ms >= :fromMs AND at_ms < :toMs`;

type Values = [Record<string, number>];

type Sum = Omit<WindowSum, 'lastUsageId'>;

/**
 * Sums all usage of the owner in the window, inside a transaction of the caller's. `known` is an earlier sum of the same: what
 * came since is added to it where that is less work.
 */
export type WindowUnits = (whose: UsageOwner, window: Period, known: WindowSum | undefined) => WindowSum;

/** Prepares the statements. */
export function createWindowUnits(connection: Connection): WindowUnits {
  const prepare = (sql: string) => connection.prepare<Values, number>(sql).pluck();
  const days = { customer: prepare(daysSql(daysOf.customer)), key: prepare(daysSql(daysOf.key)) };
  const edge = {
    customer: connection.prepare<Values, Sum>(edgeSql.customer),
    key: connection.prepare<Values, Sum>(edgeSql.key),
  };
  const tail = prepare(tailSql);
  const findLastId = connection.prepare<[], number>('SELECT max(id) FROM usage').pluck();

  function sumOf({ kind, no }: UsageOwner, { startMs, endMs }: Period): Sum {
    const nothing: Sum = { units: 0, rows: 0 };
    const sumEdge = (fromMs: number, toMs: number) =>
      (fromMs < toMs && edge[kind].get({ no, fromMs, toMs })) || nothing;
    const firstDay = Math.ceil(startMs / DAY_MS);
    const endDay = Math.floor(endMs / DAY_MS);
    if (firstDay >= endDay) return sumEdge(startMs, endMs);
    const whole = days[kind].get({ no, firstDay, endDay }) ?? 0;
    const before = sumEdge(startMs, firstDay * DAY_MS);
    const after = sumEdge(endDay * DAY_MS, endMs);
    return { units: before.units + whole + after.units, rows: before.rows + after.rows };
  }

  function sumSince(keyNo: number, window: Period, { units, rows, lastUsageId }: WindowSum): Sum {
    const { startMs: fromMs, endMs: toMs } = window;
    return { units: units + (tail.get({ no: keyNo, fromMs, toMs, lastUsageId }) ?? 0), rows };
  }

  return (whose, window, known) => {
    const lastUsageId = findLastId.get() ?? 0;
    // What came since is everybody's, so most sums are read anew; one of many rows is not.
    const isLess = whose.kind === 'key' && known && lastUsageId - known.lastUsageId < known.rows;
    return { ...(isLess ? sumSince(whose.no, window, known) : sumOf(whose, window)), lastUsageId };
  };
}
