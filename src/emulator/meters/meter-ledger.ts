/** The meter events an account has received, and what they add up to. */

import { type Decimal, decimal } from '../../lib/decimal.js';
import type { Database } from '../database.js';
import type { Stored } from '../object-kinds.js';

/** A question about usage: `[startSec, endSec)` by the events' own timestamps. */
export interface UsageQuery {
  meter: Stored<'meter'>;
  customer: string;
  startSec: number;
  endSec: number;
  /** Leaves out what was received after this time: the lag of event summaries. */
  receivedUntilSec?: number;
}

/** Why an event is worth nothing though it was answered with 200. */
interface Refusal {
  /** One of Stripe's codes, stripe-facts 3d. */
  code: string;
  message: string;
}

/** A meter event as received. */
export interface NewMeterEvent {
  identifier: string;
  eventName: string;
  /** The meter it was for, if there is one of that name. */
  meter: string | undefined;
  customer: string | undefined;
  /** A plain decimal. */
  value: string | undefined;
  timestampSec: number;
  receivedSec: number;
  payload: Record<string, string>;
  /** The Idempotency-Key it came with, or its identifier: what error reports name it by. */
  requestKey: string;
  refusal: Refusal | undefined;
}

/** A meter event that was refused after its 200 and is not reported yet. */
export interface RefusedEvent {
  seq: number;
  meter: string | undefined;
  receivedSec: number;
  requestKey: string;
  code: string;
  message: string;
}

/** An event found by its identifier. */
interface RecordedEvent {
  seq: number;
  eventName: string;
  receivedSec: number;
  state: 'accepted' | 'refused' | 'reported' | 'cancelled';
}

/** The table of meter events. */
export interface MeterLedger {
  record(event: NewMeterEvent): void;
  /** The newest event with this identifier that was received at or after `sinceSec`. */
  find(identifier: string, sinceSec: number): RecordedEvent | undefined;
  cancel(seq: number): void;
  /** What the meter counted, by its formula. */
  usage(query: UsageQuery): Decimal;
  /** Refused events received until then and not reported, oldest first. */
  refused(receivedUntilSec: number): RefusedEvent[];
  markReported(seqs: number[]): void;
}

interface UsageRow {
  value: string;
  timestamp: number;
}

/** The ledger in an open file. */
export function createMeterLedger(database: Database): MeterLedger {
  const { sql } = database;
  const insert = sql.prepare(`
    INSERT INTO meter_events (identifier, event_name, meter, customer, value, timestamp, received, payload,
      request_key, state, error_code, error_message)
    VALUES (@identifier, @eventName, @meter, @customer, @value, @timestampSec, @receivedSec, @payload,
      @requestKey, @state, @code, @message)`);
  const byIdentifier = sql.prepare<[string, number], RecordedEvent>(`
    SELECT seq, event_name AS eventName, received AS receivedSec, state FROM meter_events
    WHERE identifier = ? AND received >= ? ORDER BY seq DESC LIMIT 1`);
  const setState = sql.prepare<[string, number]>('UPDATE meter_events SET state = ? WHERE seq = ?');
  const usageRows = sql.prepare<[string, string, number, number, number], UsageRow>(`
    SELECT value, timestamp FROM meter_events
    WHERE state = 'accepted' AND meter = ? AND customer = ? AND timestamp >= ? AND timestamp < ? AND received <= ?
    ORDER BY timestamp, seq`);
  const refusedRows = sql.prepare<[number], RefusedEvent & { meter: string | null }>(`
    SELECT seq, meter, received AS receivedSec, request_key AS requestKey, error_code AS code,
      error_message AS message
    FROM meter_events WHERE state = 'refused' AND received <= ? ORDER BY seq`);

  return {
    record(event) {
      const { meter, customer, value, refusal } = event;
      insert.run({
        ...event,
        payload: JSON.stringify(event.payload),
        meter: meter ?? null,
        customer: customer ?? null,
        value: value ?? null,
        state: refusal ? 'refused' : 'accepted',
        code: refusal?.code ?? null,
        message: refusal?.message ?? null,
        refusal: null,
      });
    },
    find: (identifier, sinceSec) => byIdentifier.get(identifier, sinceSec),
    cancel: (seq) => void setState.run('cancelled', seq),
    usage({ meter, customer, startSec, endSec, receivedUntilSec = Number.MAX_SAFE_INTEGER }) {
      const rows = usageRows.all(meter.id, customer, startSec, endSec, receivedUntilSec);
      return aggregate(meter, rows);
    },
    refused: (receivedUntilSec) =>
      refusedRows.all(receivedUntilSec).map((row) => ({ ...row, meter: row.meter ?? undefined })),
    markReported(seqs) {
      for (const seq of seqs) setState.run('reported', seq);
    },
  };
}

const windowSec: Record<string, number> = { hour: 3600, day: 86_400 };

/** The meter's formula over rows in order of time. Pre-aggregated windows count their latest event (stripe-facts 2). */
function aggregate(meter: Stored<'meter'>, rows: UsageRow[]): Decimal {
  const length = meter.event_time_window ? windowSec[meter.event_time_window] : undefined;
  const counted =
    length === undefined
      ? rows
      : [...new Map(rows.map((row) => [Math.floor(row.timestamp / length), row])).values()];
  const last = counted.at(-1);
  switch (meter.default_aggregation.formula) {
    case 'count':
      return decimal(counted.length);
    case 'last':
      return decimal(last?.value ?? 0);
    default:
      return counted.reduce((sum, row) => sum.plus(row.value), decimal(0));
  }
}
