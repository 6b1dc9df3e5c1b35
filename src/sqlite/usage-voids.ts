/** Taking usage back, in SQLite: another row of the ledger, and what it does to the outbox, in one commit. */

import assert from 'node:assert';
import type { Act } from '../domain/audit.js';
import type { DeliveryState } from '../domain/delivery.js';
import type { UsageStore } from '../domain/store.js';
import type { LedgerRow, UsageVoid, VoidedUsage } from '../domain/usage.js';
import type { Ids } from '../lib/host.js';
import type { AuditWriter } from './audit.js';
import type { Database } from './open.js';
import type { Rollups } from './rollups.js';
import type { RowWriter } from './usage-rows.js';

const findSql = `
SELECT u.id, c.id AS customerId, u.units, u.at_ms AS atMs
FROM usage u JOIN customers c ON c.no = u.customer_no WHERE u.id = ?`;

const findOriginalSql = `
SELECT u.customer_no AS customerNo, u.key_no AS keyNo, u.route_no AS routeNo, u.at_ms AS atMs, u.units,
  d.no AS deliveryNo, d.units AS deliveryUnits, d.state,
  d.attempts, d.unknown_since_ms AS unknownSinceMs, d.delivered_at_ms AS deliveredAtMs,
  EXISTS (SELECT 1 FROM deliveries o WHERE o.corrects_no = d.no) AS corrected
FROM usage u JOIN deliveries d ON d.no = u.delivery_no WHERE u.id = ?`;

const findVoidSql = `
SELECT v.id, v.units, n.voids_usage_id AS voids, n.reason,
  CASE WHEN v.delivery_no = u.delivery_no THEN 'shrunk' WHEN d.cancels = 1 THEN 'cancelled' ELSE 'negative' END AS how
FROM usage_notes n JOIN usage u ON u.id = n.voids_usage_id
JOIN usage v ON v.id = n.usage_id JOIN deliveries d ON d.no = v.delivery_no
WHERE n.voids_usage_id = ?`;

/** Of a frozen delivery: nothing is owed for one without units. Other units under a key that was used would be a mistake to Stripe. */
const shrinkSql = `
UPDATE deliveries SET
  units = units - :units,
  key_number = key_number + (attempts > 0),
  state = CASE WHEN units = :units THEN 'delivered' ELSE state END,
  delivered_at_ms = CASE WHEN units = :units THEN :nowMs END,
  reason = CASE WHEN units = :units THEN NULL ELSE reason END
WHERE no = :deliveryNo`;

const correctSql = `
INSERT INTO deliveries (id, customer_no, meter_no, window_start_ms, window_end_ms, period_start_ms, units, timestamp_ms,
  state, corrects_no, cancels, next_attempt_at_ms, reason)
SELECT :id, customer_no, meter_no, window_start_ms, window_end_ms, period_start_ms, -:units, timestamp_ms,
  CASE state WHEN 'refused' THEN 'refused' ELSE 'pending' END, no, :cancels, :nowMs,
  CASE state WHEN 'refused' THEN 'What it takes back was refused.' END
FROM deliveries WHERE no = :deliveryNo
RETURNING no`;

const noteSql = `
INSERT INTO usage_notes (usage_id, customer_no, voids_usage_id, reason, recorded_at_ms) VALUES (?, ?, ?, ?, ?)`;

/** The row that is taken back, and how its delivery stands. */
interface Original {
  customerNo: number;
  keyNo: number | null;
  routeNo: number;
  atMs: number;
  units: number;
  deliveryNo: number;
  deliveryUnits: number;
  state: DeliveryState;
  attempts: number;
  unknownSinceMs: number | null;
  deliveredAtMs: number | null;
  corrected: 0 | 1;
}

type Values = [Record<string, unknown>];

/** The taking back part of the contract. */
export function createVoids({
  database: { connection, read, write },
  ids,
  audit,
  insertRows,
  rollups,
}: {
  database: Database;
  ids: Ids;
  audit: AuditWriter;
  insertRows: RowWriter;
  rollups: Rollups;
}): Pick<UsageStore, 'findUsage' | 'voidUsage'> {
  const find = connection.prepare<[number], LedgerRow>(findSql);
  const findOriginal = connection.prepare<[number], Original>(findOriginalSql);
  const findVoid = connection.prepare<[number], Omit<VoidedUsage, 'recorded'>>(findVoidSql);
  const shrink = connection.prepare<Values>(shrinkSql);
  const correct = connection.prepare<Values, number>(correctSql).pluck();
  const note = connection.prepare<[number, number, number, string, number]>(noteSql);

  /** Returns the number of the delivery that the taking back belongs to; `undefined` when it cannot be billed any more. */
  function takeOff(original: Original, order: UsageVoid, nowMs: number): number | undefined {
    const { deliveryNo, units, deliveryUnits, deliveredAtMs, corrected } = original;
    if (mayShrink(original)) {
      // An open one has the units of its rows, of which this becomes one.
      if (original.state !== 'open') shrink.run({ deliveryNo, units, nowMs });
      return deliveryNo;
    }
    if (!order.billable) return undefined;
    const whole = units === deliveryUnits && !corrected;
    const cancels = whole && deliveredAtMs !== null && deliveredAtMs >= order.cancellableSinceMs ? 1 : 0;
    return correct.get({ id: ids.next('dlv'), deliveryNo, units, cancels, nowMs });
  }

  function record(original: Original, deliveryNo: number, order: UsageVoid, act: Act): VoidedUsage {
    const { customerNo, keyNo, routeNo, atMs } = original;
    const units = -original.units;
    const id = insertRows([[deliveryNo, customerNo, keyNo, routeNo, atMs, units]]);
    note.run(id, customerNo, order.usageId, order.reason, act.atMs);
    rollups.fold();
    const [row, made] = [find.get(id), findVoid.get(order.usageId)];
    assert(row && made);
    const subject = { subject: String(order.usageId), customerId: row.customerId };
    const details = { voided_by: id, units: original.units, reason: order.reason };
    audit.record({ ...act, action: 'usage.voided', ...subject, details });
    return { ...made, recorded: 'new' };
  }

  return {
    async findUsage(id) {
      return read(() => find.get(id));
    },
    async voidUsage(order, act) {
      return write(() => {
        const before = findVoid.get(order.usageId);
        if (before) return { ...before, recorded: 'repeat' };
        const original = findOriginal.get(order.usageId);
        assert(original && original.units > 0, 'only usage can be taken back');
        const deliveryNo = takeOff(original, order, act.atMs);
        if (deliveryNo === undefined) return 'unbillable';
        return record(original, deliveryNo, order, act);
      });
    },
  };
}

/**
 * What Stripe surely does not have may still change: before it was ever sent, after a send that surely did not arrive, and
 * when Stripe refused it. But not once other units of it are being taken back by a delivery: that counts on the rest.
 */
function mayShrink({ state, unknownSinceMs, corrected }: Original): boolean {
  if (corrected) return false;
  return state === 'open' || ((state === 'pending' || state === 'refused') && unknownSinceMs === null);
}
