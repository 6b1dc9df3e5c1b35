/** What reconciliation reads and writes, in SQLite. */

import type { ReconciliationStore } from '../domain/store.js';
import type { Clock } from '../lib/host.js';
import type { Database } from './open.js';
import { keyOfCursor, pageOf } from './page.js';
import { createStampedQueries, windowMaxMs } from './stamped-deliveries.js';

/** Customers whom Stripe may bill for the range: whoever used something in it, or has ever subscribed. */
const customersSql = `
FROM customers c
WHERE c.no > :afterNo AND (EXISTS (SELECT 1 FROM subscriptions s WHERE s.customer_no = c.no)
  OR EXISTS (SELECT 1 FROM deliveries d WHERE d.customer_no = c.no
    AND d.window_start_ms > :startMs - ${windowMaxMs} AND d.window_start_ms < :endMs))`;

const deliveredSql = `
UPDATE deliveries SET state = 'delivered', delivered_at_ms = :nowMs, unknown_since_ms = NULL, reason = NULL
WHERE id = :id AND state = :state AND attempts = :attempts`;

/** The identifier stays: should Stripe have it after all, it says so as long as it remembers. */
const pendingSql = `
UPDATE deliveries SET state = 'pending', unknown_since_ms = NULL, next_attempt_at_ms = :nowMs,
  reason = 'Stripe counts nothing of it, so it is sent again.'
WHERE id = :id AND state = :state AND attempts = :attempts`;

/** Of an identifier that Stripe has accepted it would only say so again; a new one is counted. */
const anewSql = `
UPDATE deliveries SET state = 'pending', unknown_since_ms = NULL, delivered_at_ms = NULL, next_attempt_at_ms = :nowMs,
  identifier_number = identifier_number + 1, key_number = 1,
  reason = 'Stripe does not count it, so it is sent again under a new identifier.'
WHERE id = :id AND state = :state AND attempts = :attempts`;

type Values = [Record<string, unknown>];

/** The reconciliation part of the contract. */
export function createReconciliation(database: Database, clock: Clock): ReconciliationStore {
  const { connection, read, write } = database;
  const listCustomers = connection.prepare<Values, { no: number; id: string }>(
    `SELECT c.no, c.id ${customersSql} ORDER BY c.no LIMIT :limit`,
  );
  const countCustomers = connection.prepare<Values, number>(`SELECT count(*) ${customersSql}`).pluck();
  const settle = {
    delivered: connection.prepare<Values>(deliveredSql),
    pending: connection.prepare<Values>(pendingSql),
    anew: connection.prepare<Values>(anewSql),
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
        verdicts.reduce(
          (settled, { becomes, ...values }) => settled + settle[becomes].run({ ...values, nowMs }).changes,
          0,
        ),
      );
    },
  };
}
