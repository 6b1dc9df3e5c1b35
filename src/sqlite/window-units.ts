/** How much a key or customer has used in a window, in SQLite: what limits begin to count from. */

import type { UsageStore } from '../domain/store.js';
import type { Period } from '../domain/subscription.js';
import type { UsageOwner, WindowSum } from '../domain/usage-counts.js';
import { daysSpanSql } from './days-span.js';
import type { Database } from './open.js';

const DAY_MS = 86_400_000;

/** Whole days, from the roll-up. */
function daysSql(whose: string): string {
  return `
WITH RECURSIVE ${daysSpanSql}
SELECT COALESCE(sum(r.units), 0) FROM days CROSS JOIN usage_days r ON r.day = days.day WHERE ${whose}`;
}

/** A part of a day. A customer's delivery that lies in it as a whole tells what all of its rows come to. */
const edgeSql = {
  customer: `
SELECT COALESCE(sum(CASE WHEN d.window_start_ms >= :fromMs AND d.window_end_ms <= :toMs THEN d.units ELSE (
  SELECT COALESCE(sum(u.units), 0) FROM usage u WHERE u.delivery_no = d.no AND u.at_ms >= :fromMs AND u.at_ms < :toMs
) END), 0)
FROM deliveries d INDEXED BY deliveries_of_customer
WHERE d.customer_no = :no AND d.window_start_ms > :fromMs - ${DAY_MS} AND d.window_start_ms < :toMs
  AND d.window_end_ms > :fromMs`,
  key: `
SELECT COALESCE(sum(u.units), 0)
FROM deliveries d INDEXED BY deliveries_of_customer CROSS JOIN usage u ON u.delivery_no = d.no
WHERE d.customer_no = (SELECT customer_no FROM keys WHERE no = :no) AND u.key_no = :no
  AND d.window_start_ms > :fromMs - ${DAY_MS} AND d.window_start_ms < :toMs AND d.window_end_ms > :fromMs
  AND u.at_ms >= :fromMs AND u.at_ms < :toMs`,
};

const daysOf = {
  customer: 'r.customer_no = :no',
  key: 'r.customer_no = (SELECT customer_no FROM keys WHERE no = :no) AND r.key_no = :no',
};

/** What came after a row of the ledger. Rows are numbered in the order of their commits, so they are found by number. */
function tailSql(whose: string): string {
  return `
SELECT COALESCE(sum(units), 0) FROM usage
WHERE id > :lastUsageId AND ${whose} AND at_ms >= :fromMs AND at_ms < :toMs`;
}

/** So many rows, of whomever, are looked through in less time than most windows take. */
const tailMax = 20_000;

type Values = [Record<string, number>];

/** The part of the ledger that limits read. */
export function createWindowUnits({ connection, read }: Database): Pick<UsageStore, 'sumWindow'> {
  const prepare = (sql: string) => connection.prepare<Values, number>(sql).pluck();
  const days = { customer: prepare(daysSql(daysOf.customer)), key: prepare(daysSql(daysOf.key)) };
  const edge = { customer: prepare(edgeSql.customer), key: prepare(edgeSql.key) };
  const tail = { customer: prepare(tailSql('customer_no = :no')), key: prepare(tailSql('key_no = :no')) };
  const findLastId = connection.prepare<[], number>('SELECT max(id) FROM usage').pluck();

  function sumOf({ kind, no }: UsageOwner, { startMs, endMs }: Period): number {
    const sumEdge = (fromMs: number, toMs: number) =>
      fromMs < toMs ? (edge[kind].get({ no, fromMs, toMs }) ?? 0) : 0;
    const firstDay = Math.ceil(startMs / DAY_MS);
    const endDay = Math.floor(endMs / DAY_MS);
    if (firstDay >= endDay) return sumEdge(startMs, endMs);
    const whole = days[kind].get({ no, firstDay, endDay }) ?? 0;
    return sumEdge(startMs, firstDay * DAY_MS) + whole + sumEdge(endDay * DAY_MS, endMs);
  }

  function sumSince({ kind, no }: UsageOwner, window: Period, { units, lastUsageId }: WindowSum): number {
    const { startMs: fromMs, endMs: toMs } = window;
    return units + (tail[kind].get({ no, fromMs, toMs, lastUsageId }) ?? 0);
  }

  return {
    async sumWindow(whose, window, known) {
      return read(() => {
        const lastUsageId = findLastId.get() ?? 0;
        const isNear = known !== undefined && lastUsageId - known.lastUsageId <= tailMax;
        return { units: isNear ? sumSince(whose, window, known) : sumOf(whose, window), lastUsageId };
      });
    },
  };
}
