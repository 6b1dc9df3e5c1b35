/** Calls that run, in SQLite: a row from before the head of the answer until their usage is in the ledger. */

import { answerNotKept } from '../domain/answer.js';
import type { OpenCallRow, OpenCallStore } from '../domain/open-call.js';
import type { AbortPolicy } from '../domain/route.js';
import type { RecordedUsage } from '../domain/usage.js';
import type { Database } from './open.js';
import type { Entry } from './usage-batch.js';

const openSql = `
INSERT INTO open_calls (id, customer_no, key_no, meter_no, route_no, units, at_ms, window_start_ms, window_end_ms,
  period_start_ms, on_abort, seen_at_ms, idempotency_key, fingerprint)
VALUES (:id, :customerNo, :keyNo, :meterNo, :routeNo, :units, :atMs, :startMs, :endMs, :periodStartMs, :onAbort, :seenAtMs,
  :idempotencyKey, :fingerprint)`;

const progressSql = `
UPDATE open_calls SET units = :units, at_ms = :atMs, window_start_ms = :startMs, window_end_ms = :endMs,
  period_start_ms = :periodStartMs, seen_at_ms = :seenAtMs
WHERE id = :id`;

const closeSql = 'DELETE FROM open_calls WHERE id = ?';

const listUnseenSql = `
SELECT c.id, c.customer_no AS customerNo, c.key_no AS keyNo, m.event_name AS meter, r.name AS route, c.units,
  c.at_ms AS atMs, c.window_start_ms AS startMs, c.window_end_ms AS endMs, c.period_start_ms AS periodStartMs,
  c.on_abort AS onAbort, c.seen_at_ms AS seenAtMs, c.idempotency_key AS idempotencyKey, c.fingerprint
FROM open_calls c JOIN meters m ON m.no = c.meter_no JOIN routes r ON r.no = c.route_no
WHERE c.seen_at_ms < ? OR c.seen_at_ms > ? ORDER BY c.id LIMIT CAST(? AS INTEGER)`;

const ofCustomerSql = `
SELECT id, units FROM open_calls WHERE customer_no = :no AND at_ms >= :startMs AND at_ms < :endMs`;

const ofKeySql = `
SELECT id, units FROM open_calls
WHERE customer_no = (SELECT customer_no FROM keys WHERE no = :no) AND key_no = :no AND at_ms >= :startMs AND at_ms < :endMs`;

interface Row {
  id: string;
  customerNo: number;
  keyNo: number | null;
  meter: string;
  route: string;
  units: number;
  atMs: number;
  startMs: number;
  endMs: number;
  periodStartMs: number;
  onAbort: AbortPolicy;
  seenAtMs: number;
  idempotencyKey: string | null;
  fingerprint: Uint8Array | null;
}

/** The open calls part of the contract, and the two steps that happen inside a commit of the ledger. */
export function createOpenCalls({ connection, read, write }: Database) {
  const open = connection.prepare<[Record<string, unknown>]>(openSql);
  const progress = connection.prepare<[Record<string, unknown>]>(progressSql);
  const close = connection.prepare<[string]>(closeSql);
  const listUnseen = connection.prepare<[number, number, number], Row>(listUnseenSql);
  const prepareOpen = (sql: string) =>
    connection.prepare<[Record<string, number>], Pick<Row, 'id' | 'units'>>(sql);
  const openOf = { customer: prepareOpen(ofCustomerSql), key: prepareOpen(ofKeySql) };
  /** The calls that were begun here and have not ended. */
  const own = new Set<string>();

  const contract: OpenCallStore = {
    async recordProgress(calls) {
      if (calls.length === 0) return;
      await write(() => {
        for (const { window, ...call } of calls) progress.run({ ...call, ...window });
      });
    },
    async sumOthersOpen({ kind, no }, { startMs, endMs }) {
      const calls = read(() => openOf[kind].all({ no, startMs, endMs }));
      return calls.reduce((sum, { id, units }) => (own.has(id) ? sum : sum + units), 0);
    },
    async listUnseenCalls({ fromMs, toMs }, limit) {
      return read(() => listUnseen.all(fromMs, toMs, limit)).map(rowOf);
    },
  };

  function begin({ usage, meterNo, routeNo }: Entry): void {
    const { window, call, customerNo, keyNo, units, atMs, periodStartMs, answered } = usage;
    const { id, onAbort, seenAtMs } = call ?? {};
    const numbers = { customerNo, keyNo, meterNo, routeNo, units, atMs, periodStartMs };
    const { idempotencyKey = null, fingerprint = null } = answered ?? {};
    open.run({ id, onAbort, seenAtMs, ...numbers, ...window, idempotencyKey, fingerprint });
  }

  return {
    contract,
    isOwn: (id: string) => own.has(id),
    /** After the commit: tells the calls of this process from those of others. */
    note({ usage: { call } }: Entry): void {
      if (call?.step === 'open') own.add(call.id);
      else if (call) own.delete(call.id);
    },
    /** Inside a transaction of the caller: begins or ends the entry's call. `undefined` for what goes into the ledger. */
    step(entry: Entry): Pick<RecordedUsage, 'id' | 'recorded' | 'units'> | undefined {
      const { call, units } = entry.usage;
      if (!call) return undefined;
      if (call.step === 'over') {
        return close.run(call.id).changes > 0 ? undefined : { id: 0, recorded: 'closed', units: 0 };
      }
      begin(entry);
      return { id: 0, recorded: 'open', units };
    },
  };
}

function rowOf(row: Row): OpenCallRow {
  const { id, startMs, endMs, onAbort, seenAtMs, idempotencyKey, fingerprint, ...usage } = row;
  const call = { id, step: 'over', onAbort, seenAtMs } as const;
  const found: OpenCallRow = { ...usage, window: { startMs, endMs }, call };
  // Who owes nothing for a call that broke off may make it again.
  if (idempotencyKey === null || fingerprint === null || onAbort === 'none') return found;
  return { ...found, answered: { idempotencyKey, fingerprint, answerTo: () => answerNotKept } };
}
