/** Questions to the outbox, in SQLite: nothing here writes. */

import assert from 'node:assert';
import { type Delivery, type DeliveryState, identifierOf } from '../domain/delivery.js';
import type { DeliveryStore } from '../domain/store.js';
import type { Ids } from '../lib/host.js';
import type { Database } from './open.js';
import { keyOfCursor, pageOf } from './page.js';
import { deliveryUnitsSql } from './rollups.js';

/** A delivery with its number, its window flat, what it cancels as two columns, and what only a claim tells. */
export interface DeliveryRow extends Omit<Delivery, 'window' | 'cancels'> {
  no: number;
  unknownBeforeMs: number | null;
  cancels: 0 | 1;
  correctedNumber: number | null;
  windowStartMs: number;
  windowEndMs: number;
}

const fromSql = `
SELECT d.no, d.id, c.id AS customerId, m.event_name AS meter, d.window_start_ms AS windowStartMs,
  d.window_end_ms AS windowEndMs, ${deliveryUnitsSql} AS units, d.timestamp_ms AS timestampMs, d.state, d.attempts,
  d.identifier_number AS identifierNumber, d.key_number AS keyNumber, o.id AS corrects, d.cancels,
  o.identifier_number AS correctedNumber, d.next_attempt_at_ms AS nextAttemptAtMs, d.unknown_since_ms AS unknownSinceMs,
  d.unknown_before_claim_ms AS unknownBeforeMs, d.reason, d.delivered_at_ms AS deliveredAtMs
FROM deliveries d`;

const namesSql = `
JOIN customers c ON c.no = d.customer_no JOIN meters m ON m.no = d.meter_no
LEFT JOIN deliveries o ON o.no = d.corrects_no`;

/** Selects whole delivery rows. */
export const selectDelivery = `${fromSql} ${namesSql}`;

/**
 * Deliveries are numbered without gaps, because none is ever deleted, so the highest number counts them all; the rest is
 * counted over small partial indexes, however many millions have been delivered. (SQLite takes a partial index only where the
 * query repeats its condition.)
 */
const countSql = `
SELECT (SELECT COALESCE(max(no), 0) FROM deliveries) AS total,
  (SELECT count(*) FROM deliveries INDEXED BY deliveries_undelivered WHERE state <> 'delivered') AS undelivered,
  (SELECT count(*) FROM deliveries INDEXED BY deliveries_failed
    WHERE state IN ('refused', 'uncertain') AND state = 'refused') AS refused,
  (SELECT count(*) FROM deliveries INDEXED BY deliveries_failed
    WHERE state IN ('refused', 'uncertain') AND state = 'uncertain') AS uncertain,
  (SELECT count(*) FROM deliveries INDEXED BY deliveries_claimed WHERE state = 'claimed') AS claimed,
  (SELECT min(timestamp_ms) FROM deliveries INDEXED BY deliveries_frozen
    WHERE state IN ('pending', 'claimed') AND corrects_no IS NULL) AS oldestFrozenMs,
  (SELECT timestamp_ms FROM deliveries INDEXED BY deliveries_to_freeze
    WHERE state = 'open' ORDER BY window_end_ms LIMIT 1) AS oldestOpenMs`;

interface Counts {
  total: number;
  undelivered: number;
  refused: number;
  uncertain: number;
  claimed: number;
  oldestFrozenMs: number | null;
  oldestOpenMs: number | null;
}

/** A delivery is as old as its id: what is recorded late has not waited since its time of use. */
const waitedSql = `
SELECT EXISTS (
  SELECT 1 FROM deliveries INDEXED BY deliveries_frozen
  WHERE state IN ('pending', 'claimed') AND corrects_no IS NULL
    AND timestamp_ms < :atMs AND window_end_ms <= :atMs AND id < :bound
) OR EXISTS (
  SELECT 1 FROM deliveries INDEXED BY deliveries_to_freeze
  WHERE state = 'open' AND window_end_ms <= :atMs AND id < :bound
)`;

const sumUndeliveredSql = `
SELECT COALESCE(sum(${deliveryUnitsSql}), 0) AS units FROM deliveries d INDEXED BY deliveries_undelivered
WHERE state <> 'delivered' AND customer_no = (SELECT no FROM customers WHERE id = :customerId)
  AND window_start_ms >= :fromMs AND window_start_ms < :toMs`;

const countUnsettledSql = `
SELECT count(*) AS deliveries FROM deliveries INDEXED BY deliveries_undelivered
WHERE state <> 'delivered' AND state <> 'refused'
  AND customer_no = (SELECT no FROM customers WHERE id = :customerId) AND window_start_ms >= :fromMs`;

type Queries = Pick<
  DeliveryStore,
  | 'countDeliveries'
  | 'hasWaitedSince'
  | 'findDelivery'
  | 'listDeliveries'
  | 'sumUndelivered'
  | 'countUnsettled'
>;

/** The reading half of the outbox part of the contract. */
export function createOutboxQueries({ connection, read }: Database, ids: Ids): Queries {
  const count = connection.prepare<[], Counts>(countSql);
  const waited = connection.prepare<[{ atMs: number; bound: string }], 0 | 1>(waitedSql).pluck();
  const find = connection.prepare<[string], DeliveryRow>(`${selectDelivery} WHERE d.id = ?`);
  const sumUndelivered = connection.prepare<[Record<string, unknown>], { units: number }>(sumUndeliveredSql);
  const countUnsettled = connection.prepare<[Record<string, unknown>], number>(countUnsettledSql).pluck();

  return {
    async countDeliveries(nowMs) {
      const counts = read(() => count.get());
      assert(counts);
      const { total, undelivered, refused, uncertain, claimed, oldestFrozenMs, oldestOpenMs } = counts;
      const oldestMs = Math.min(oldestFrozenMs ?? Infinity, oldestOpenMs ?? Infinity);
      return {
        pending: undelivered - claimed - refused - uncertain,
        claimed,
        delivered: total - undelivered,
        refused,
        uncertain,
        oldestPendingMs: oldestMs === Infinity ? null : Math.max(0, nowMs - oldestMs),
      };
    },
    async hasWaitedSince(atMs) {
      return read(() => waited.get({ atMs, bound: ids.bound('dlv', atMs) })) === 1;
    },
    async findDelivery(id) {
      const row = read(() => find.get(id));
      return row && toDelivery(row);
    },
    async listDeliveries({ customerId, state }, page) {
      const after = keyOfCursor('deliveries', 2, page);
      const rows = read(() =>
        connection
          .prepare<[Record<string, unknown>], DeliveryRow>(listSql(customerId, state, after))
          .all({ customerId, state, startMs: after?.[0], no: after?.[1], limit: page.limit + 1 }),
      );
      return pageOf('deliveries', page.limit, rows, (row) => [row.windowStartMs, row.no], toDelivery);
    },
    async sumUndelivered(customerId, fromMs, toMs) {
      const sum = read(() => sumUndelivered.get({ customerId, fromMs, toMs }));
      assert(sum);
      return sum.units;
    },
    async countUnsettled(customerId, fromMs) {
      return read(() => countUnsettled.get({ customerId, fromMs })) ?? 0;
    },
  };
}

/** Newest window first. Undelivered ones are few beside the delivered, so they are read from the index that holds only them. */
function listSql(
  customerId: string | undefined,
  state: DeliveryState | undefined,
  after: number[] | undefined,
): string {
  const undelivered = state !== undefined && state !== 'delivered';
  return `${fromSql} ${undelivered ? 'INDEXED BY deliveries_undelivered' : ''} ${namesSql}
    WHERE ${undelivered ? "d.state <> 'delivered'" : 'true'}
      AND ${state === undefined ? 'true' : 'd.state = :state'}
      AND ${customerId === undefined ? 'true' : 'd.customer_no = (SELECT no FROM customers WHERE id = :customerId)'}
      AND ${after === undefined ? 'true' : '(d.window_start_ms, d.no) < (:startMs, :no)'}
    ORDER BY d.window_start_ms DESC, d.no DESC LIMIT :limit`;
}

/** Puts window and cancellation together. */
export function toDelivery(row: DeliveryRow): Delivery {
  const { no: _, unknownBeforeMs: __, windowStartMs, windowEndMs, cancels, correctedNumber, ...fields } = row;
  const corrected = { id: row.corrects ?? '', identifierNumber: correctedNumber ?? 1 };
  return {
    ...fields,
    cancels: cancels === 1 ? identifierOf(corrected) : null,
    window: { startMs: windowStartMs, endMs: windowEndMs },
  };
}
