/** What becomes of deliveries after they were settled, in SQLite: Stripe rejects some later, and refused ones are tried again. */

import type { Rejection, RejectionResult, RetryResult } from '../domain/delivery.js';
import type { DeliveryStore } from '../domain/store.js';
import type { Clock } from '../lib/host.js';
import { batchMax, writeInBatches } from './batches.js';
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
  SELECT no FROM deliveries WHERE state = 'pending' AND next_attempt_at_ms > :nowMs LIMIT ${batchMax})`;

const findStateSql = 'SELECT state FROM deliveries WHERE id = ?';

type Reopening = Pick<DeliveryStore, 'rejectDeliveries' | 'retryDeliveries' | 'hastenDeliveries'>;

/** The reopening part of the contract. */
export function createReopening(database: Database, clock: Clock): Reopening {
  const { connection, write } = database;
  const prepare = (sql: string) => connection.prepare<[Record<string, unknown>]>(sql);
  const reject = connection.prepare<[Rejection]>(rejectSql);
  const retry = prepare(retrySql);
  const hasten = prepare(hastenSql);
  const hastenAll = prepare(hastenAllSql);
  const findNumber = connection.prepare<[string], number>(findNumberSql).pluck();
  const findState = connection
    .prepare<[string], Exclude<RetryResult, 'retried' | 'hastened' | 'unknown'>>(findStateSql)
    .pluck();

  function retryOne(id: string, nowMs: number): RetryResult {
    if (retry.run({ id, nowMs }).changes > 0) return 'retried';
    if (hasten.run({ id, nowMs }).changes > 0) return 'hastened';
    return findState.get(id) ?? 'unknown';
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
    async hastenDeliveries(nowMs) {
      return writeInBatches(database, clock, () => hastenAll.run({ nowMs }).changes);
    },
  };
}
