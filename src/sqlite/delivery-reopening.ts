/** What becomes of deliveries after they were settled, in SQLite: Stripe rejects some later, and refused ones are tried again. */

import assert from 'node:assert';
import type { Act } from '../domain/audit.js';
import type {
  DeliveryState,
  HandSettlement,
  Rejection,
  RejectionResult,
  RetryResult,
} from '../domain/delivery.js';
import type { DeliveryStore } from '../domain/store.js';
import type { Clock } from '../lib/host.js';
import type { AuditWriter } from './audit.js';
import { writeInBatches } from './batches.js';
import type { Database } from './open.js';

/** Whatever its state: the courier may not have settled yet. Only a delivery that was never sent cannot be meant. */
const rejectSql = `
UPDATE deliveries SET
  state = 'refused', reason = :reason, identifier_number = identifier_number + 1, key_number = 1,
  lease_until_ms = NULL, unknown_since_ms = NULL, delivered_at_ms = NULL
WHERE id = :id AND identifier_number = :identifierNumber AND attempts > 0`;

const findNumberSql = 'SELECT identifier_number FROM deliveries WHERE id = ?';

const retrySql = `
UPDATE deliveries SET state = 'pending', next_attempt_at_ms = :nowMs WHERE id = :id AND state = 'refused'`;

const hastenSql = `
UPDATE deliveries SET next_attempt_at_ms = min(next_attempt_at_ms, :nowMs) WHERE id = :id AND state = 'pending'`;

const hastenAllSql = `
UPDATE deliveries SET next_attempt_at_ms = :nowMs WHERE no IN (
  SELECT no FROM deliveries WHERE state = 'pending' AND next_attempt_at_ms > :nowMs LIMIT :rows)`;

const findStateSql = 'SELECT state FROM deliveries WHERE id = ?';

/** Sent again later, a refused one keeps its identifier: should Stripe have it after all, it says so as long as it remembers. */
const settleByHandSql = {
  delivered: `
UPDATE deliveries SET state = 'delivered', delivered_at_ms = :nowMs, unknown_since_ms = NULL, reason = NULL
WHERE id = :id AND state = 'uncertain'`,
  refused: `
UPDATE deliveries SET state = 'refused', unknown_since_ms = NULL,
  reason = 'Settled by hand: it did not arrive. It is sent again when it is retried.'
WHERE id = :id AND state = 'uncertain'`,
};

const findSettledSql = `
SELECT c.id AS customerId, d.units FROM deliveries d JOIN customers c ON c.no = d.customer_no WHERE d.id = ?`;

type Reopening = Pick<
  DeliveryStore,
  'rejectDeliveries' | 'retryDeliveries' | 'hastenDeliveries' | 'settleByHand'
>;

/** The reopening part of the contract. */
export function createReopening(database: Database, clock: Clock, audit: AuditWriter): Reopening {
  const { connection, write } = database;
  const prepare = (sql: string) => connection.prepare<[Record<string, unknown>]>(sql);
  const reject = connection.prepare<[Rejection]>(rejectSql);
  const retry = prepare(retrySql);
  const hasten = prepare(hastenSql);
  const hastenAll = prepare(hastenAllSql);
  const findNumber = connection.prepare<[string], number>(findNumberSql).pluck();
  const findState = connection.prepare<[string], DeliveryState>(findStateSql).pluck();

  const settleByHand = {
    delivered: prepare(settleByHandSql.delivered),
    refused: prepare(settleByHandSql.refused),
  };
  const findSettled = connection.prepare<[string], { customerId: string; units: number }>(findSettledSql);

  function settleOne(id: string, as: 'delivered' | 'refused', act: Act): HandSettlement {
    if (settleByHand[as].run({ id, nowMs: act.atMs }).changes === 0) {
      const state = findState.get(id) ?? 'unknown';
      assert(state !== 'uncertain', 'an uncertain one was just settled');
      return state;
    }
    const { customerId = null, units } = findSettled.get(id) ?? {};
    audit.record({ ...act, action: 'delivery.settled', subject: id, customerId, details: { as, units } });
    return 'settled';
  }

  function retryOne(id: string, nowMs: number): RetryResult {
    if (retry.run({ id, nowMs }).changes > 0) return 'retried';
    if (hasten.run({ id, nowMs }).changes > 0) return 'hastened';
    const state = findState.get(id) ?? 'unknown';
    assert(state !== 'pending' && state !== 'refused', 'these were just made due');
    return state;
  }

  return {
    async rejectDeliveries(rejections) {
      return write(() =>
        rejections.map((rejection): RejectionResult => {
          if (reject.run(rejection).changes > 0) return 'refused';
          return (findNumber.get(rejection.id) ?? 0) > rejection.identifierNumber ? 'repeat' : 'unknown';
        }),
      );
    },
    async retryDeliveries(ids, nowMs) {
      return write(() => ids.map((id) => retryOne(id, nowMs)));
    },
    async settleByHand(ids, as, act) {
      return write(() => ids.map((id) => settleOne(id, as, act)));
    },
    async hastenDeliveries(nowMs) {
      return writeInBatches(database, clock, (rows) => hastenAll.run({ nowMs, rows }).changes);
    },
  };
}
