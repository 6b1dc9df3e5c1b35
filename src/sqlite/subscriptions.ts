/** Rows of subscriptions, in SQLite. */

import type { Database as Connection } from 'better-sqlite3';
import type { Subscription } from '../domain/subscription.js';

interface SubscriptionRow extends Omit<Subscription, 'customerId' | 'period' | 'cancelAtPeriodEnd'> {
  periodStartMs: number;
  periodEndMs: number;
  cancelAtPeriodEnd: 0 | 1;
}

/**
 * `past_due_since_ms` is ours alone: it begins when the status is first seen to be past due, and stays for as long as it is.
 * So is `closing_at_ms`, which no reading touches.
 */
const recordSql = `
INSERT INTO subscriptions (
  id, customer_no, status, price_id, item_id, period_start_ms, period_end_ms, interval, interval_count, anchor_ms,
  cancel_at_ms, cancel_at_period_end, ended_at_ms, past_due_since_ms, created_at_ms, read_at_ms
) VALUES (
  :id, :customerNo, :status, :priceId, :itemId, :periodStartMs, :periodEndMs, :interval, :intervalCount, :anchorMs,
  :cancelAtMs, :cancelAtPeriodEnd, :endedAtMs,
  CASE WHEN :status = 'past_due' THEN COALESCE(:pastDueSinceMs, :readAtMs) END, :createdAtMs, :readAtMs
)
ON CONFLICT (id) DO UPDATE SET
  status = excluded.status,
  price_id = excluded.price_id,
  item_id = excluded.item_id,
  period_start_ms = excluded.period_start_ms,
  period_end_ms = excluded.period_end_ms,
  interval = excluded.interval,
  interval_count = excluded.interval_count,
  anchor_ms = excluded.anchor_ms,
  cancel_at_ms = excluded.cancel_at_ms,
  cancel_at_period_end = excluded.cancel_at_period_end,
  ended_at_ms = excluded.ended_at_ms,
  past_due_since_ms =
    CASE WHEN excluded.status = 'past_due' THEN COALESCE(past_due_since_ms, excluded.past_due_since_ms) END,
  read_at_ms = excluded.read_at_ms`;

const closeSql = `
UPDATE subscriptions SET closing_at_ms = :closingAtMs
WHERE customer_no = :customerNo AND ended_at_ms IS NULL AND (closing_at_ms IS NULL) = (:closingAtMs IS NOT NULL)`;

const listSql = `
SELECT id, status, price_id AS priceId, item_id AS itemId, period_start_ms AS periodStartMs,
  period_end_ms AS periodEndMs, interval, interval_count AS intervalCount, anchor_ms AS anchorMs,
  cancel_at_ms AS cancelAtMs, cancel_at_period_end AS cancelAtPeriodEnd, ended_at_ms AS endedAtMs,
  past_due_since_ms AS pastDueSinceMs, created_at_ms AS createdAtMs, read_at_ms AS readAtMs,
  closing_at_ms AS closingAtMs
FROM subscriptions WHERE customer_no = ? ORDER BY no`;

/** Reads and writes subscriptions, inside a transaction of the caller. */
export interface Subscriptions {
  record(subscription: Subscription, customerNo: number): void;
  /** Returns how many it changed. */
  close(customerNo: number, closingAtMs: number | null): number;
  listOf(customerNo: number, customerId: string): Subscription[];
  /** Whether there is one with this price. */
  haveAny(priceId: string): boolean;
}

/** Prepares the statements. */
export function createSubscriptions(connection: Connection): Subscriptions {
  const record = connection.prepare<[Record<string, unknown>]>(recordSql);
  const close = connection.prepare<[Record<string, unknown>]>(closeSql);
  const list = connection.prepare<[number], SubscriptionRow>(listSql);
  const any = connection.prepare<[string], number>('SELECT 1 FROM subscriptions WHERE price_id = ? LIMIT 1');
  return {
    record({ customerId: _, closingAtMs: __, period, cancelAtPeriodEnd, ...rest }, customerNo) {
      record.run({
        ...rest,
        customerNo,
        periodStartMs: period.startMs,
        periodEndMs: period.endMs,
        cancelAtPeriodEnd: cancelAtPeriodEnd ? 1 : 0,
      });
    },
    close(customerNo, closingAtMs) {
      return close.run({ customerNo, closingAtMs }).changes;
    },
    listOf(customerNo, customerId) {
      return list.all(customerNo).map((row) => toSubscription(row, customerId));
    },
    haveAny: (priceId) => any.get(priceId) !== undefined,
  };
}

/** Written out for one shape, as in `toKey`. */
function toSubscription(row: SubscriptionRow, customerId: string): Subscription {
  return {
    id: row.id,
    customerId,
    status: row.status,
    priceId: row.priceId,
    itemId: row.itemId,
    period: { startMs: row.periodStartMs, endMs: row.periodEndMs },
    interval: row.interval,
    intervalCount: row.intervalCount,
    anchorMs: row.anchorMs,
    cancelAtMs: row.cancelAtMs,
    cancelAtPeriodEnd: row.cancelAtPeriodEnd === 1,
    endedAtMs: row.endedAtMs,
    pastDueSinceMs: row.pastDueSinceMs,
    createdAtMs: row.createdAtMs,
    readAtMs: row.readAtMs,
    closingAtMs: row.closingAtMs,
  };
}
