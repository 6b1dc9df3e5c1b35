/** One customer's deliveries by their timestamps, in SQLite, read in steps so short that paid calls hardly wait for one. */

import assert from 'node:assert';
import {
  addToSums,
  emptySums,
  type SpanSums,
  type StampedDelivery,
  type StampedRange,
} from '../domain/reconciliation.js';
import type { ReconciliationStore } from '../domain/store.js';
import type { Clock } from '../lib/host.js';
import { turn } from '../lib/turn.js';
import type { Database } from './open.js';
import { deliveryUnitsSql } from './rollups.js';

/** No window is longer (a CHECK of the table), so a timestamp lies less than this after its window's start. */
export const windowMaxMs = 86_400_000;

/** So many deliveries, or rows of the ledger, are read in one step: about a millisecond from memory. */
const deliveriesMax = 100;
const ledgerRowsMax = 2_000;

/** The first chunk passes over windows of the day before whose timestamps lie ahead of the range: there are a day's seconds of them at most. */
const chunkSql = `
SELECT d.no, d.id, d.window_start_ms AS windowStartMs, d.state, ${deliveryUnitsSql} AS units, d.attempts, d.period_start_ms AS periodStartMs,
  d.timestamp_ms AS timestampMs, d.next_attempt_at_ms AS nextAttemptAtMs, d.unknown_since_ms AS unknownSinceMs,
  d.delivered_at_ms AS deliveredAtMs, (SELECT max(id) FROM usage) AS lastUsageId,
  (d.corrects_no IS NOT NULL OR EXISTS (SELECT 1 FROM deliveries o WHERE o.corrects_no = d.no)) AS corrected
FROM deliveries d INDEXED BY deliveries_of_customer
WHERE d.customer_no = (SELECT no FROM customers WHERE id = :customerId)
  AND d.meter_no = (SELECT no FROM meters WHERE event_name = :meter)
  AND (d.window_start_ms, d.no) > (:afterMs, :afterNo) AND d.window_start_ms < :endMs
  AND d.timestamp_ms >= :startMs AND d.timestamp_ms < :endMs
ORDER BY d.window_start_ms, d.no LIMIT ${deliveriesMax}`;

/** The rows of one delivery that were folded in at some time: the ledger only grows, so they stay what they are. */
const foldedSql = `
SELECT count(*) AS rows, COALESCE(sum(units), 0) AS units, COALESCE(max(id), 0) AS lastId
FROM (
  SELECT u.id, u.units FROM delivery_rows r CROSS JOIN usage u ON u.id = r.usage_id
  WHERE r.delivery_no = :no AND r.usage_id > :afterId AND r.usage_id <= :lastFoldedId
  ORDER BY r.usage_id LIMIT :limit
)`;

/** What was not: few rows, which are looked through once for many deliveries. */
const unfoldedSql = `
SELECT delivery_no AS no, sum(units) AS units FROM unfolded_usage WHERE id <= :lastUsageId GROUP BY delivery_no`;

interface Row extends Omit<StampedDelivery, 'corrected'> {
  no: number;
  windowStartMs: number;
  /** Of the whole ledger, when this was read. */
  lastUsageId: number;
  corrected: 0 | 1;
}

type Values = [Record<string, unknown>];

/** The questions by timestamp of the contract. */
export function createStampedQueries(
  database: Database,
  clock: Clock,
): Pick<ReconciliationStore, 'sumStamped' | 'listStamped'> {
  const { connection, read } = database;
  const chunk = connection.prepare<Values, Row>(chunkSql);
  const pause = () => turn(clock);
  const ledgerOf = createLedgerSums(database, pause);

  async function* chunksOf(range: StampedRange): AsyncGenerator<Row[]> {
    // Just before the first window that can hold a timestamp of the range.
    let after = { afterMs: range.startMs - windowMaxMs, afterNo: Number.MAX_SAFE_INTEGER };
    for (;;) {
      const rows = read(() => chunk.all({ ...range, ...after }));
      yield rows;
      const last = rows.at(-1);
      if (!last || rows.length < deliveriesMax) return;
      after = { afterMs: last.windowStartMs, afterNo: last.no };
      await pause();
    }
  }

  return {
    async sumStamped(range, { stepMs, settledBeforeMs }) {
      const spans = new Map<number, SpanSums>();
      for await (const rows of chunksOf(range)) {
        const sums = await ledgerOf(rows);
        rows.forEach((row, index) => {
          const summed = { ...row, ledger: sums[index] ?? 0 };
          addToSums(spanOf(spans, range, stepMs, row), summed, settledBeforeMs);
        });
      }
      return [...spans.values()].sort((a, b) => a.startMs - b.startMs);
    },
    async listStamped(range) {
      const found: StampedDelivery[] = [];
      for await (const rows of chunksOf(range))
        found.push(
          ...rows.map(({ no: _, windowStartMs: __, lastUsageId: ___, ...row }) => ({
            ...row,
            corrected: row.corrected === 1,
          })),
        );
      return found;
    },
  };
}

/** Adds up the usage rows of each delivery, of which one alone may have very many. All were read in one chunk. */
function createLedgerSums(
  { connection, read }: Database,
  pause: () => Promise<void>,
): (chunk: readonly Row[]) => Promise<number[]> {
  const folded = connection.prepare<Values, { rows: number; units: number; lastId: number }>(foldedSql);
  const listUnfolded = connection.prepare<Values, { no: number; units: number }>(unfoldedSql);
  const findMark = connection.prepare<[], number>('SELECT usage_id FROM rollup_mark').pluck();

  /** Rows up to the last one there was when the chunk was read, as they stand to the roll-ups at this moment. */
  function edgeOf(lastUsageId: number) {
    const unfolded = new Map(listUnfolded.all({ lastUsageId }).map(({ no, units }) => [no, units]));
    return { unfolded, lastFoldedId: Math.min(lastUsageId, findMark.get() ?? 0) };
  }

  return async (chunk) => {
    const { unfolded, lastFoldedId } = read(() => edgeOf(chunk[0]?.lastUsageId ?? 0));
    const sums: number[] = [];
    let [sum, afterId] = [0, 0];
    const step = () => {
      for (let rowsLeft = ledgerRowsMax; rowsLeft > 0 && sums.length < chunk.length; ) {
        const no = chunk[sums.length]?.no ?? 0;
        const found = folded.get({ no, lastFoldedId, afterId, limit: rowsLeft });
        assert(found);
        sum += found.units;
        rowsLeft -= found.rows;
        afterId = found.lastId;
        if (rowsLeft === 0) return;
        sums.push(sum + (unfolded.get(no) ?? 0));
        [sum, afterId] = [0, 0];
      }
    };
    for (;;) {
      read(step);
      if (sums.length === chunk.length) return sums;
      await pause();
    }
  };
}

/** The step that holds the delivery, cut at the edges of the range; made when it is the first in there. */
function spanOf(
  spans: Map<number, SpanSums>,
  range: StampedRange,
  stepMs: number,
  { timestampMs }: Row,
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
