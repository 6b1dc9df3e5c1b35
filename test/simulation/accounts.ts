/** Both sides of the books, read straight from their files: meterctl's ledger and outbox, and what Stripe has received. */

import Sqlite from 'better-sqlite3';
import type { DeliveryState } from '../../src/domain/delivery.js';
import { deliveryUnitsSql } from '../../src/sqlite/rollups.js';

/** A row of the ledger. */
export interface LedgerRow {
  id: number;
  customerId: string;
  deliveryId: string;
  route: string;
  key: string | null;
  /** The row that this one takes back. */
  voids: number | null;
  atMs: number;
  units: number;
}

/** A delivery, as the database has it. */
export interface DeliveryRow {
  id: string;
  customerId: string;
  state: DeliveryState;
  units: number;
  timestampMs: number;
  startMs: number;
  endMs: number;
  reason: string | null;
  /** The identifier that Stripe has or gets next. */
  identifier: string;
  /** The delivery that this one takes units back of. */
  corrects: string | null;
  /** Whether it does so by cancelling its event. */
  cancels: 0 | 1;
}

/** A meter event, as Stripe received it. */
export interface StripeEvent {
  identifier: string;
  /** The delivery that it tells of: what Stripe rejected is sent again under the same id with a number. */
  deliveryId: string;
  customerId: string;
  units: number;
  timestampMs: number;
  state: 'accepted' | 'refused' | 'reported' | 'cancelled';
}

/** Both sides at one moment. */
export interface Books {
  ledger: LedgerRow[];
  deliveries: DeliveryRow[];
  events: StripeEvent[];
  /** The roll-up that reports are made of: units by customer and start of the period. */
  periods: { customerId: string; startMs: number; units: number }[];
}

const ledgerSql = `
SELECT u.id, c.id AS customerId, d.id AS deliveryId, r.name AS route, n.idempotency_key AS key,
  n.voids_usage_id AS voids, u.at_ms AS atMs, u.units
FROM usage u JOIN customers c ON c.no = u.customer_no JOIN deliveries d ON d.no = u.delivery_no
JOIN routes r ON r.no = u.route_no LEFT JOIN usage_notes n ON n.usage_id = u.id ORDER BY u.id`;

const deliveriesSql = `
SELECT d.id, c.id AS customerId, d.state, ${deliveryUnitsSql} AS units, d.timestamp_ms AS timestampMs, d.window_start_ms AS startMs,
  d.window_end_ms AS endMs, d.reason,
  d.id || CASE d.identifier_number WHEN 1 THEN '' ELSE '.' || d.identifier_number END AS identifier,
  o.id AS corrects, d.cancels
FROM deliveries d JOIN customers c ON c.no = d.customer_no LEFT JOIN deliveries o ON o.no = d.corrects_no ORDER BY d.no`;

const periodsSql = `
SELECT c.id AS customerId, p.period_start_ms AS startMs, sum(p.units) AS units
FROM usage_periods p JOIN customers c ON c.no = p.customer_no GROUP BY p.customer_no, p.meter_no, p.period_start_ms`;

const eventsSql = `
SELECT identifier, substr(identifier, 1, instr(identifier || '.', '.') - 1) AS deliveryId, payload ->> '$.stripe_customer_id' AS customerId, CAST(value AS INTEGER) AS units,
  timestamp * 1000 AS timestampMs, state
FROM meter_events ORDER BY seq`;

/** A correction waits until Stripe has what it corrects. */
const undeliveredSql = `
SELECT count(*) FROM deliveries d LEFT JOIN deliveries o ON o.no = d.corrects_no
WHERE d.state IN ('open', 'pending', 'claimed') AND (o.no IS NULL OR o.state = 'delivered')`;

const unappliedSql = "SELECT count(*) FROM webhooks WHERE state = 'received'";

const owedByStripeSql = `
SELECT (SELECT count(*) FROM webhook_deliveries WHERE state = 'pending')
  + (SELECT count(*) FROM meter_events WHERE state = 'refused')`;

/** Both files, open. */
export interface OpenBooks {
  read(): Books;
  /** How many calls run, or were left open by a crash. */
  openCalls(): number;
  /** Whether nothing waits to be sent any more. */
  areDelivered(): boolean;
  /** Whether nobody owes the other anything more: no delivery, no message, no report. */
  areSettled(): boolean;
  close(): void;
}

/** Opens both files for reading. */
export function openBooks(databasePath: string, emulatorPath: string): OpenBooks {
  const database = new Sqlite(databasePath, { readonly: true });
  const stripe = new Sqlite(emulatorPath, { readonly: true });
  const ledger = database.prepare<[], LedgerRow>(ledgerSql);
  const deliveries = database.prepare<[], DeliveryRow>(deliveriesSql);
  const periods = database.prepare<[], Books['periods'][number]>(periodsSql);
  const events = stripe.prepare<[], StripeEvent>(eventsSql);
  const openCalls = database.prepare<[], number>('SELECT count(*) FROM open_calls').pluck();
  const undelivered = database.prepare<[], number>(undeliveredSql).pluck();
  const unapplied = database.prepare<[], number>(unappliedSql).pluck();
  const owedByStripe = stripe.prepare<[], number>(owedByStripeSql).pluck();
  return {
    read: () => ({
      ledger: ledger.all(),
      deliveries: deliveries.all(),
      events: events.all(),
      periods: periods.all(),
    }),
    openCalls: () => openCalls.get() ?? 0,
    areDelivered: () => undelivered.get() === 0,
    areSettled: () => undelivered.get() === 0 && unapplied.get() === 0 && owedByStripe.get() === 0,
    close() {
      database.close();
      stripe.close();
    },
  };
}
