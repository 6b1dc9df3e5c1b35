/** The outbox, in SQLite: leasing and settling deliveries. */

import { type ClaimedDelivery, type Settlement, waitMaxMs } from '../domain/delivery.js';
import type { DeliveryStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import type { AuditWriter } from './audit.js';
import { createFreezing } from './delivery-freezing.js';
import { createOutboxQueries, type DeliveryRow, selectDelivery, toDelivery } from './delivery-queries.js';
import { createReopening } from './delivery-reopening.js';
import type { Database } from './open.js';
import type { Rollups } from './rollups.js';

/**
 * `unknown_since_ms` stays: whoever held the lease may have sent. A lease that ends further ahead than any can was given by
 * a clock that was ahead; it may be twice as long as it should, so that a small correction of the clock ends none.
 */
const endLeasesSql = `
UPDATE deliveries SET state = 'pending', lease_until_ms = NULL, next_attempt_at_ms = min(lease_until_ms, :nowMs)
WHERE state = 'claimed' AND (lease_until_ms <= :nowMs OR lease_until_ms > :nowMs + 2 * :leaseMs)`;

/** What waits for longer than anything may was made to wait by a clock that was ahead. Looks only at lanes that wait for so long. */
const endWaitsSql = `
UPDATE deliveries SET next_attempt_at_ms = :nowMs
WHERE state = 'pending' AND next_attempt_at_ms > :nowMs + ${waitMaxMs} AND (customer_no, meter_no) IN (
  SELECT customer_no, meter_no FROM lanes WHERE hurried IN (0, 1) AND due_at_ms > :nowMs + ${waitMaxMs})`;

const lanesSql = `
SELECT customer_no AS customerNo, meter_no AS meterNo FROM lanes INDEXED BY lanes_due
WHERE hurried = :hurried AND due_at_ms <= :nowMs ORDER BY due_at_ms LIMIT :limit`;

/** A correction goes out only when Stripe has what it corrects, or may have the correction itself. */
const oldestDueSql = `
SELECT no FROM deliveries d INDEXED BY deliveries_pending
WHERE state = 'pending' AND customer_no = :customerNo AND meter_no = :meterNo AND next_attempt_at_ms <= :nowMs
  AND (corrects_no IS NULL OR unknown_since_ms IS NOT NULL
    OR EXISTS (SELECT 1 FROM deliveries o WHERE o.no = d.corrects_no AND o.state = 'delivered'))
ORDER BY window_start_ms LIMIT 1`;

/** From here on Stripe may have it, so its outcome is unknown until it is settled. */
const claimSql = `
UPDATE deliveries SET
  state = 'claimed',
  attempts = attempts + 1,
  lease_until_ms = :leaseUntilMs,
  unknown_before_claim_ms = unknown_since_ms,
  unknown_since_ms = COALESCE(unknown_since_ms, :nowMs)
WHERE no = :no`;

/**
 * A delivery that arrived counts whoever sent it, unless Stripe rejected it meanwhile: then its identifier is used up, and
 * the next one has not been sent. What is refused while an earlier send may have arrived stays unknown as well; and its next
 * send needs another Idempotency-Key, because Stripe would replay the refusal.
 *
 * A lease is the present one while the delivery is claimed and no later attempt has begun: the attempt is the claim's id. */
const presentLeaseSql = `WHERE id = :id AND state = 'claimed' AND attempts = :claimId`;

const settleSql: Record<Settlement['outcome']['kind'], string> = {
  delivered: `
UPDATE deliveries SET
  state = 'delivered', delivered_at_ms = :nowMs, lease_until_ms = NULL, unknown_since_ms = NULL, reason = NULL
WHERE id = :id AND identifier_number = :identifierNumber AND state NOT IN ('open', 'delivered')`,
  refused: `
UPDATE deliveries SET
  state = 'refused', lease_until_ms = NULL, reason = :reason, key_number = key_number + 1,
  unknown_since_ms = unknown_before_claim_ms
${presentLeaseSql}`,
  uncertain: `
UPDATE deliveries SET state = 'uncertain', lease_until_ms = NULL, reason = :reason
${presentLeaseSql}`,
  retry: `
UPDATE deliveries SET
  state = 'pending', lease_until_ms = NULL, reason = :reason, next_attempt_at_ms = :atMs,
  key_number = key_number + :nextKey,
  unknown_since_ms = CASE WHEN :processed = 'no' THEN unknown_before_claim_ms ELSE unknown_since_ms END
${presentLeaseSql}`,
  uncancellable: `
UPDATE deliveries SET
  state = 'pending', cancels = 0, lease_until_ms = NULL, reason = :reason, next_attempt_at_ms = :nowMs,
  key_number = key_number + 1, unknown_since_ms = unknown_before_claim_ms
${presentLeaseSql}`,
};

/** The outbox part of the contract. */
export function createDeliveries(
  database: Database,
  { host, audit, rollups }: { host: Host; audit: AuditWriter; rollups: Rollups },
): DeliveryStore {
  const { connection, write } = database;
  const prepare = (sql: string) => connection.prepare<[Record<string, unknown>]>(sql);
  const endLeases = prepare(endLeasesSql);
  const endWaits = prepare(endWaitsSql);
  const claim = prepare(claimSql);
  const lanes = connection.prepare<[Record<string, unknown>], { customerNo: number; meterNo: number }>(
    lanesSql,
  );
  const oldestDue = connection.prepare<[Record<string, unknown>], { no: number }>(oldestDueSql);
  const findByNo = connection.prepare<[number], DeliveryRow>(`${selectDelivery} WHERE d.no = ?`);
  const settle = {
    delivered: prepare(settleSql.delivered),
    refused: prepare(settleSql.refused),
    uncertain: prepare(settleSql.uncertain),
    retry: prepare(settleSql.retry),
    uncancellable: prepare(settleSql.uncancellable),
  };

  function claimLanes(hurried: 0 | 1, nowMs: number, leaseMs: number, limit: number): ClaimedDelivery[] {
    return lanes
      .all({ hurried, nowMs, limit })
      .map((lane) => claimLane(lane, nowMs, leaseMs))
      .filter((row) => row !== undefined)
      .map((row) => toClaimed(row, nowMs + leaseMs));
  }

  function claimLane(lane: { customerNo: number; meterNo: number }, nowMs: number, leaseMs: number) {
    const due = oldestDue.get({ ...lane, nowMs });
    if (!due) return undefined;
    claim.run({ no: due.no, nowMs, leaseUntilMs: nowMs + leaseMs });
    return findByNo.get(due.no);
  }

  return {
    ...createFreezing(database, host.clock, rollups),
    ...createReopening(database, host.clock, audit),
    ...createOutboxQueries(database, host.ids),
    async claimDeliveries({ nowMs, leaseMs, limit }) {
      return write(() => {
        endLeases.run({ nowMs, leaseMs });
        endWaits.run({ nowMs });
        const first = claimLanes(1, nowMs, leaseMs, limit);
        return [...first, ...claimLanes(0, nowMs, leaseMs, limit - first.length)];
      });
    },
    async settleDeliveries(settlements, nowMs) {
      await write(() => {
        for (const { outcome, ...lease } of settlements) {
          const { kind, ...values } = outcome;
          const nextKey = kind === 'retry' && outcome.nextKey ? 1 : 0;
          settle[kind].run({ ...values, ...lease, nextKey, nowMs });
        }
      });
    },
  };
}

function toClaimed(row: DeliveryRow, leaseUntilMs: number): ClaimedDelivery {
  return { ...toDelivery(row), claimId: row.attempts, unknownBeforeMs: row.unknownBeforeMs, leaseUntilMs };
}
