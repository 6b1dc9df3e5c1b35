/** What reconciliation reads and writes, in SQLite. */

import {
  addToSums,
  emptySums,
  type SpanSums,
  type StampedDelivery,
  type StampedRange,
  type SummedDelivery,
} from '../domain/reconciliation.js';
import type { ReconciliationStore } from '../domain/store.js';
import type { Clock } from '../lib/host.js';
import type { Database } from './open.js';
import { keyOfCursor, pageOf } from './page.js';

/** No window is longer (a CHECK of the table), so a timestamp lies less than a day after its window's start. */
const DAY_MS = 86_400_000;

/** So many deliveries are added up before other work may run. */
const chunkMax = 500;

/** Customers whom Stripe may bill for the range: whoever used something in it, or has ever subscribed. */
const customersSql = `
FROM customers c
WHERE c.no > :afterNo AND (EXISTS (SELECT 1 FROM subscriptions s WHERE s.customer_no = c.no)
  OR EXISTS (SELECT 1 FROM deliveries d WHERE d.customer_no = c.no
    AND d.window_start_ms > :startMs - ${DAY_MS} AND d.window_start_ms < :endMs))`;

const stampedSql = `
FROM deliveries d INDEXED BY deliveries_of_customer
WHERE d.customer_no = (SELECT no FROM customers WHERE id = :customerId)
  AND d.meter_no = (SELECT no FROM meters WHERE event_name = :meter)
  AND (d.window_start_ms, d.no) > (:afterMs, :afterNo) AND d.window_start_ms < :endMs
  AND d.timestamp_ms >= :startMs AND d.timestamp_ms < :endMs`;

const chunkSql = `
SELECT d.no, d.window_start_ms AS windowStartMs, d.timestamp_ms AS timestampMs, d.units, d.state,
  d.unknown_since_ms AS unknownSinceMs, d.delivered_at_ms AS deliveredAtMs,
  (SELECT COALESCE(sum(u.units), 0) FROM usage u WHERE u.delivery_no = d.no) AS ledger
${stampedSql}
ORDER BY d.window_start_ms, d.no LIMIT ${chunkMax}`;

const listSql = `
SELECT d.id, d.state, d.units, d.attempts, d.period_start_ms AS periodStartMs, d.timestamp_ms AS timestampMs,
  d.next_attempt_at_ms AS nextAttemptAtMs, d.unknown_since_ms AS unknownSinceMs, d.delivered_at_ms AS deliveredAtMs,
  (d.corrects_no IS NOT NULL OR EXISTS (SELECT 1 FROM deliveries o WHERE o.corrects_no = d.no)) AS corrected
${stampedSql} ORDER BY d.window_start_ms, d.no`;

const deliveredSql = `
UPDATE deliveries SET state = 'delivered', delivered_at_ms = :nowMs, unknown_since_ms = NULL, reason = NULL
WHERE id = :id AND state = :state AND attempts = :attempts`;

/** The identifier stays: should Stripe have it after all, it says so as long as it remembers. */
const neverArrivedSql = `
UPDATE deliveries SET state = 'pending', unknown_since_ms = NULL, next_attempt_at_ms = :nowMs,
  reason = 'Stripe counts nothing of it, so it is sent again.'
WHERE id = :id AND state = :state AND attempts = :attempts`;

/** Stripe has accepted the identifier, so it would only repeat that; a new one is counted. */
const lostSql = `
UPDATE deliveries SET state = 'pending', delivered_at_ms = NULL, next_attempt_at_ms = :nowMs,
  identifier_number = identifier_number + 1, key_number = 1,
  reason = 'Stripe accepted it and does not count it, so it is sent again.'
WHERE id = :id AND state = :state AND attempts = :attempts`;

type ChunkRow = SummedDelivery & { no: number; windowStartMs: number; timestampMs: number };

type Values = [Record<string, unknown>];

/** The reconciliation part of the contract. */
export function createReconciliation(database: Database, clock: Clock): ReconciliationStore {
  const { connection, read, write } = database;
  const listCustomers = connection.prepare<Values, { no: number; id: string }>(
    `SELECT c.no, c.id ${customersSql} ORDER BY c.no LIMIT :limit`,
  );
  const countCustomers = connection.prepare<Values, number>(`SELECT count(*) ${customersSql}`).pluck();
  const delivered = connection.prepare<Values>(deliveredSql);
  const pending = {
    uncertain: connection.prepare<Values>(neverArrivedSql),
    delivered: connection.prepare<Values>(lostSql),
  };

  return {
    ...createStampedQueries(database, clock),
    async listReconciledCustomers({ startMs, endMs }, page) {
      const [afterNo = 0] = keyOfCursor('reconciled', 1, page) ?? [];
      const rows = read(() => listCustomers.all({ startMs, endMs, afterNo, limit: page.limit + 1 }));
      return pageOf(
        'reconciled',
        page.limit,
        rows,
        ({ no }) => [no],
        ({ id }) => id,
      );
    },
    async countReconciledCustomers({ startMs, endMs }) {
      return read(() => countCustomers.get({ startMs, endMs, afterNo: 0 })) ?? 0;
    },
    async settleCompared(verdicts, nowMs) {
      return write(() =>
        verdicts.reduce((settled, { becomes, ...values }) => {
          const statement = becomes === 'delivered' ? delivered : pending[values.state];
          return settled + statement.run({ ...values, nowMs }).changes;
        }, 0),
      );
    },
  };
}

/** Questions by timestamp. */
function createStampedQueries(
  { connection, read }: Database,
  clock: Clock,
): Pick<ReconciliationStore, 'sumStamped' | 'listStamped'> {
  const chunk = connection.prepare<Values, ChunkRow>(chunkSql);
  const list = connection.prepare<Values, Omit<StampedDelivery, 'corrected'> & { corrected: 0 | 1 }>(listSql);
  return {
    async sumStamped(range, { stepMs, settledBeforeMs }) {
      const spans = new Map<number, SpanSums>();
      let after = beginOf(range);
      for (;;) {
        const rows = read(() => chunk.all({ ...range, ...after }));
        for (const row of rows) addToSums(spanOf(spans, range, stepMs, row), row, settledBeforeMs);
        const last = rows.at(-1);
        if (!last || rows.length < chunkMax) break;
        after = { afterMs: last.windowStartMs, afterNo: last.no };
        await new Promise<void>((resolve) => clock.soon(resolve));
      }
      return [...spans.values()].sort((a, b) => a.startMs - b.startMs);
    },
    async listStamped(range) {
      return read(() => list.all({ ...range, ...beginOf(range) })).map((row) => ({
        ...row,
        corrected: row.corrected === 1,
      }));
    },
  };
}

/** Just before the first window that can hold a timestamp of the range. */
function beginOf({ startMs }: StampedRange): { afterMs: number; afterNo: number } {
  return { afterMs: startMs - DAY_MS, afterNo: Number.MAX_SAFE_INTEGER };
}

/** The step that holds the delivery, cut at the edges of the range; made when it is the first in there. */
function spanOf(
  spans: Map<number, SpanSums>,
  range: StampedRange,
  stepMs: number,
  { timestampMs }: ChunkRow,
): SpanSums {
  const startMs = Math.floor(timestampMs / stepMs) * stepMs;
  let span = spans.get(startMs);
  if (!span) {
    const endMs = Math.min(startMs + stepMs, range.endMs);
    span = emptySums({ startMs: Math.max(startMs, range.startMs), endMs });
    spans.set(startMs, span);
  }
  return span;
}
