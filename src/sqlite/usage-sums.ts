/** Sums over the ledger, in SQLite. */

import assert from 'node:assert';
import type { Database as Connection } from 'better-sqlite3';
import type { DeliveryState } from '../domain/delivery.js';
import type { UsageStore } from '../domain/store.js';
import type { UsageFilter, UsageGrouping, UsageSum, UsageTotals } from '../domain/usage.js';
import { daysSpanSql, dayUnitsSql } from './day-units.js';
import type { Names } from './names.js';
import type { Database } from './open.js';
import { foldedRowsSql } from './rollups.js';

const DAY_MS = 86_400_000;

/** A filter with the numbers of its names, and the whole days that its range touches. */
interface Range {
  fromMs: number;
  toMs: number;
  firstDay: number;
  endDay: number;
  firstDayMs: number;
  endDayMs: number;
  customerNo?: number;
  keyNo?: number;
  routeNo?: number;
}

/**
 * Ledger rows between two times, with a sign. They are found by the windows of their deliveries (none longer than a day),
 * so that the ledger itself needs no index by time, which every call would have to pay for.
 */
function rowsSql(range: Range, fromMs: string, toMs: string, sign: 1 | -1): string {
  const select = `
  SELECT u.at_ms AS atMs, u.customer_no AS customerNo, COALESCE(u.key_no, 0) AS keyNo, u.route_no AS routeNo,
    ${sign} * u.units AS units, ${sign} * (u.units >= 0) AS requests`;
  const conditions = rowConditionsSql(range, fromMs, toMs);
  return `${select}
  FROM deliveries d CROSS JOIN ${foldedRowsSql}
  WHERE d.window_start_ms > ${fromMs} - ${DAY_MS} AND d.window_start_ms < ${toMs} AND d.window_end_ms > ${fromMs}
    ${range.customerNo === undefined ? '' : 'AND d.customer_no = :customerNo'} AND ${conditions}
  UNION ALL ${select}
  FROM unfolded_usage u WHERE ${conditions}`;
}

/** Which rows `u` of the ledger are meant, between two times. */
function rowConditionsSql(range: Range, fromMs: string, toMs: string): string {
  return `u.at_ms >= ${fromMs} AND u.at_ms < ${toMs} ${ofWhomSql(range, 'u')}`;
}

/** Conditions on a table of usage. */
function ofWhomSql({ customerNo, keyNo, routeNo }: Range, table: string): string {
  return [
    customerNo === undefined ? '' : `AND ${table}.customer_no = :customerNo`,
    keyNo === undefined ? '' : `AND ${table}.key_no = :keyNo`,
    routeNo === undefined ? '' : `AND ${table}.route_no = :routeNo`,
  ].join(' ');
}

/** The whole days that the range touches. */
function daysSql(range: Range): string {
  const arms = dayUnitsSql.map(
    (from) => `
  SELECT r.day * ${DAY_MS} AS atMs, r.customer_no AS customerNo, r.key_no AS keyNo, r.route_no AS routeNo,
    r.units, r.requests
  ${from} ${ofWhomSql(range, 'r')}`,
  );
  return arms.join(' UNION ALL ');
}

/**
 * Everything in the range. From a day on, it is the roll-up of the days touched, less the ledger rows of these days that
 * lie before and after the range: exact, and the rows after "now" are none.
 */
function partsSql(range: Range, by: UsageGrouping | undefined): string {
  if (by === 'hour' || range.toMs - range.fromMs < DAY_MS) return rowsSql(range, ':fromMs', ':toMs', 1);
  const edges = [
    range.firstDayMs < range.fromMs && rowsSql(range, ':firstDayMs', ':fromMs', -1),
    range.toMs < range.endDayMs && rowsSql(range, ':toMs', ':endDayMs', -1),
  ].filter((sql) => sql !== false);
  return [daysSql(range), ...edges].join(' UNION ALL ');
}

/** How each grouping names its groups: the key of a group, and what turns the key into the field that is shown. */
const groupings: Record<UsageGrouping, { key: string; field: string; join: string }> = {
  hour: { key: 'atMs - atMs % 3600000', field: 'g AS bucketMs', join: '' },
  day: { key: `atMs - atMs % ${DAY_MS}`, field: 'g AS bucketMs', join: '' },
  month: {
    key: "CAST(strftime('%s', atMs / 1000, 'unixepoch', 'start of month') AS INTEGER) * 1000",
    field: 'g AS bucketMs',
    join: '',
  },
  customer: { key: 'customerNo', field: 'c.id AS customerId', join: 'JOIN customers c ON c.no = g' },
  key: { key: 'keyNo', field: 'k.id AS keyId', join: 'LEFT JOIN keys k ON k.no = g' },
  route: { key: 'routeNo', field: 'n.name AS route', join: 'JOIN routes n ON n.no = g' },
};

function listSql(range: Range, by: UsageGrouping): string {
  const { key, field, join } = groupings[by];
  return `WITH RECURSIVE ${daysSpanSql}, parts AS (${partsSql(range, by)}), sums AS (
    SELECT ${key} AS g, sum(units) AS units, sum(requests) AS requests FROM parts GROUP BY 1
    HAVING sum(requests) <> 0 OR sum(units) <> 0
  )
  SELECT ${field}, units, requests FROM sums ${join} ORDER BY 1`;
}

function totalSql(range: Range): string {
  return `WITH RECURSIVE ${daysSpanSql}, parts AS (${partsSql(range, undefined)})
  SELECT COALESCE(sum(units), 0) AS units, COALESCE(sum(requests), 0) AS requests FROM parts`;
}

/**
 * Units of the range that are not delivered, by state. Undelivered deliveries are few, so each is looked at: one that lies
 * in the range as a whole counts with its units, of any other the ledger rows in question are added up. What is not folded in
 * yet belongs to open ones.
 */
function undeliveredSql(range: Range): string {
  const conditions = rowConditionsSql(range, ':fromMs', ':toMs');
  const rows = `SELECT COALESCE(sum(u.units), 0) FROM ${foldedRowsSql} AND ${conditions}`;
  const whole =
    range.keyNo === undefined && range.routeNo === undefined
      ? 'd.window_start_ms >= :fromMs AND d.window_end_ms <= :toMs'
      : 'false';
  return `
  SELECT state, sum(units) AS units FROM (
    SELECT d.state, CASE WHEN ${whole} THEN d.units ELSE (${rows}) END AS units
    FROM deliveries d INDEXED BY deliveries_undelivered
    WHERE d.state <> 'delivered' AND d.window_start_ms > :fromMs - ${DAY_MS} AND d.window_start_ms < :toMs
      ${range.customerNo === undefined ? '' : 'AND d.customer_no = :customerNo'}
    UNION ALL
    SELECT 'open', u.units FROM unfolded_usage u WHERE ${conditions}
  ) GROUP BY state`;
}

/** The reports of the usage part of the contract. */
export function createUsageSums(
  { connection, read }: Database,
  routes: Names,
): Pick<UsageStore, 'listUsage' | 'sumUsage'> {
  const rangeOf = createRanges(connection, routes);
  return {
    async listUsage(filter, by) {
      return read(() => {
        const range = rangeOf(filter);
        return range ? connection.prepare<[Range], UsageSum>(listSql(range, by)).all(range) : [];
      });
    },
    async sumUsage(filter) {
      return read(() => {
        const range = rangeOf(filter);
        const nothing = { units: 0, requests: 0, delivered: 0, pending: 0, uncertain: 0, refused: 0 };
        return range ? sumRange(connection, range) : nothing;
      });
    },
  };
}

function sumRange(connection: Connection, range: Range): UsageTotals {
  const total = connection.prepare<[Range], { units: number; requests: number }>(totalSql(range)).get(range);
  assert(total);
  const byState = connection
    .prepare<[Range], { state: DeliveryState; units: number }>(undeliveredSql(range))
    .all(range);
  const left = { pending: 0, uncertain: 0, refused: 0 };
  for (const { state, units } of byState) {
    if (state === 'uncertain' || state === 'refused') left[state] += units;
    else left.pending += units;
  }
  return { ...total, delivered: total.units - left.pending - left.uncertain - left.refused, ...left };
}

/** Turns filters into ranges; `undefined` when a filter names something that is not there, so that nothing can match. */
function createRanges(connection: Connection, routes: Names): (filter: UsageFilter) => Range | undefined {
  const findCustomer = connection.prepare<[string], { no: number }>('SELECT no FROM customers WHERE id = ?');
  const findKey = connection.prepare<[string], { no: number; customerNo: number }>(
    'SELECT no, customer_no AS customerNo FROM keys WHERE id = ?',
  );
  return ({ fromMs, toMs, customerId, keyId, route }) => {
    const firstDay = Math.floor(fromMs / DAY_MS);
    const endDay = Math.ceil(toMs / DAY_MS);
    const days = { firstDay, endDay, firstDayMs: firstDay * DAY_MS, endDayMs: endDay * DAY_MS };
    const range: Range = { fromMs, toMs, ...days };
    if (keyId !== undefined) {
      const key = findKey.get(keyId);
      if (!key) return undefined;
      range.keyNo = key.no;
      // A key has one customer, and usage is found fastest by customer.
      range.customerNo = key.customerNo;
    }
    if (customerId !== undefined) {
      const customerNo = findCustomer.get(customerId)?.no;
      if (customerNo === undefined || (range.customerNo ?? customerNo) !== customerNo) return undefined;
      range.customerNo = customerNo;
    }
    if (route !== undefined) {
      const routeNo = routes.find(route);
      if (routeNo === undefined) return undefined;
      range.routeNo = routeNo;
    }
    return range;
  };
}
