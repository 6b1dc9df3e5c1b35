/** Freezing deliveries, in SQLite: from then on nothing that Stripe sees of them changes. */

import type { DeliveryStore } from '../domain/store.js';
import type { Clock } from '../lib/host.js';
import { writeInBatches } from './batches.js';
import type { Database } from './open.js';
import type { Rollups } from './rollups.js';

/** A window that starts so far ahead was made by a clock that was ahead. */
const clockAheadMs = 60_000;

/** Which open deliveries are frozen; each condition is served by an index. */
const due = {
  ended: 'window_end_ms <= :nowMs',
  ahead: `window_end_ms > :nowMs + ${clockAheadMs} AND window_start_ms > :nowMs + ${clockAheadMs}`,
  everything: 'true',
  ofCustomer: 'customer_no = (SELECT no FROM customers WHERE id = :customerId)',
};

function isDueSql(condition: string): string {
  return `SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'open' AND ${condition})`;
}

/** Nothing is owed for a delivery without units. */
function freezeSql(condition: string): string {
  return `
UPDATE deliveries SET
  state = CASE WHEN units = 0 THEN 'delivered' ELSE 'pending' END,
  delivered_at_ms = CASE WHEN units = 0 THEN :nowMs END,
  next_attempt_at_ms = min(window_end_ms, :nowMs)
WHERE no IN (SELECT no FROM deliveries WHERE state = 'open' AND ${condition} LIMIT :rows)`;
}

/** Whoever is frozen early must have all of it at Stripe soon. */
const hurrySql = `
UPDATE lanes SET hurried = 1
WHERE customer_no = (SELECT no FROM customers WHERE id = :customerId) AND EXISTS (
  SELECT 1 FROM deliveries d INDEXED BY deliveries_pending
  WHERE d.state = 'pending' AND d.customer_no = lanes.customer_no AND d.meter_no = lanes.meter_no)`;

type Values = Record<string, unknown>;

/** The freezing part of the contract. */
export function createFreezing(
  database: Database,
  clock: Clock,
  rollups: Rollups,
): Pick<DeliveryStore, 'freezeDeliveries'> {
  const { connection, write } = database;

  /** Rows are folded in only where something freezes: a commit that writes must be synced, and this is asked all the time. */
  function createFreeze(condition: string): (values: Values) => Promise<number> {
    const isDue = connection.prepare<[Values], 0 | 1>(isDueSql(condition)).pluck();
    const freeze = connection.prepare<[Values]>(freezeSql(condition));
    return (values) =>
      writeInBatches(database, clock, (rows) => {
        if (isDue.get(values) === 0) return 0;
        rollups.fold();
        return freeze.run({ ...values, rows }).changes;
      });
  }

  const freezeEnded = createFreeze(due.ended);
  const freezeAhead = createFreeze(due.ahead);
  const freezeEverything = createFreeze(due.everything);
  const freezeOfCustomer = createFreeze(due.ofCustomer);
  const hurry = connection.prepare<[{ customerId: string }]>(hurrySql);

  return {
    async freezeDeliveries(nowMs, early) {
      if (early && early.customerId === undefined) return freezeEverything({ nowMs });
      const { customerId } = early ?? {};
      const over = (await freezeEnded({ nowMs })) + (await freezeAhead({ nowMs }));
      if (customerId === undefined) return over;
      const running = await freezeOfCustomer({ nowMs, customerId });
      await write(() => hurry.run({ customerId }));
      return over + running;
    },
  };
}
