/** Checkout sessions, from the order to the key, in SQLite. */

import assert from 'node:assert';
import type { Checkout } from '../domain/checkout.js';
import { MeterctlError } from '../domain/error.js';
import type { CheckoutStore } from '../domain/store.js';
import type { Clock } from '../lib/host.js';
import { writeInBatches } from './batches.js';
import type { CustomerReader } from './customers.js';
import type { KeyWriter } from './keys.js';
import type { Database } from './open.js';

const findSql = `
SELECT s.session_id AS sessionId, c.id AS customerId, s.created_at_ms AS createdAtMs,
  s.provisioned_at_ms AS provisionedAtMs, s.claimed_at_ms AS claimedAtMs, k.id AS keyId
FROM checkouts s LEFT JOIN customers c ON c.no = s.customer_no LEFT JOIN keys k ON k.no = s.key_no
WHERE s.session_id = ?`;

/** The page and the webhook both provision, in any order and more than once: the first one counts. */
const provisionSql = `
INSERT INTO checkouts (session_id, customer_no, created_at_ms, provisioned_at_ms)
VALUES (:sessionId, :customerNo, :nowMs, :nowMs)
ON CONFLICT (session_id) DO UPDATE SET
  customer_no = excluded.customer_no,
  provisioned_at_ms = excluded.provisioned_at_ms
WHERE customer_no IS NULL`;

/** Should one be completed after all, as by a payment that took weeks, provisioning remembers it anew. */
const removeSql = `
DELETE FROM checkouts WHERE session_id IN (
  SELECT session_id FROM checkouts INDEXED BY checkouts_abandoned
  WHERE provisioned_at_ms IS NULL AND created_at_ms < :beforeMs LIMIT :rows
)`;

/** The checkout part of the contract. */
export function createCheckouts(
  database: Database,
  clock: Clock,
  customers: CustomerReader,
  keys: KeyWriter,
): CheckoutStore {
  const { connection, read, write } = database;
  const find = connection.prepare<[string], Checkout>(findSql);
  const record = connection.prepare<[string, number]>(
    'INSERT INTO checkouts (session_id, created_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const provision = connection.prepare<[Record<string, unknown>]>(provisionSql);
  const claim = connection.prepare<[number, number, string]>(
    'UPDATE checkouts SET claimed_at_ms = ?, key_no = ? WHERE session_id = ?',
  );
  const remove = connection.prepare<[{ beforeMs: number; rows: number }]>(removeSql);

  return {
    async recordCheckout(sessionId, nowMs) {
      await write(() => record.run(sessionId, nowMs));
    },
    async findCheckout(sessionId) {
      return read(() => find.get(sessionId));
    },
    async recordProvisioned(sessionId, customerId, nowMs) {
      await write(() => {
        const customer = customers.find(customerId);
        if (!customer) throw new MeterctlError('not_found', `There is no customer ${customerId}.`);
        provision.run({ sessionId, customerNo: customer.no, nowMs });
        assert.equal(find.get(sessionId)?.customerId, customerId, 'a checkout has one customer');
      });
    },
    async claimCheckout(sessionId, key) {
      return write(() => {
        const checkout = find.get(sessionId);
        if (checkout?.customerId == null) {
          throw new MeterctlError('not_found', `There is no completed checkout ${sessionId}.`);
        }
        if (checkout.keyId !== null) return 'taken';
        assert.equal(key.customerId, checkout.customerId, 'the key belongs to the buyer');
        const { no, createdAtMs } = keys.add(key, 'checkout');
        claim.run(createdAtMs, no, sessionId);
        return 'claimed';
      });
    },
    removeCheckouts: (beforeMs) =>
      writeInBatches(database, clock, (rows) => remove.run({ beforeMs, rows }).changes),
  };
}
