/** Calls that run, in SQLite: a row from before the head of the answer until their usage is in the ledger. */

import { answerNotKept } from '../domain/answer.js';
import type { CallProgress, OpenCallRow, OpenCallStore } from '../domain/open-call.js';
import type { AbortPolicy } from '../domain/route.js';
import type { SeenRunner } from '../domain/runner.js';
import type { RecordedUsage } from '../domain/usage.js';
import type { UsageCount } from '../domain/usage-counts.js';
import type { Database } from './open.js';
import type { Entry } from './usage-batch.js';

const openSql = `
INSERT INTO open_calls (id, runner, customer_no, key_no, meter_no, route_no, units, held_units, at_ms, window_start_ms,
  window_end_ms, period_start_ms, on_abort, seen_at_ms, idempotency_key, fingerprint)
VALUES (:id, :runner, :customerNo, :keyNo, :meterNo, :routeNo, :units, :heldUnits, :atMs, :startMs, :endMs, :periodStartMs,
  :onAbort, :seenAtMs, :idempotencyKey, :fingerprint)`;

const progressSql = `
UPDATE open_calls SET units = :units, held_units = :heldUnits, at_ms = :atMs, window_start_ms = :startMs,
  window_end_ms = :endMs, period_start_ms = :periodStartMs, seen_at_ms = :seenAtMs
WHERE id = :id`;

/** A process of an earlier version, which still runs while this one begins, writes nothing but what its calls owe. */
const heldSql = 'max(units, held_units)';

const findHoldingSql = `SELECT ${heldSql} AS heldUnits, at_ms AS atMs FROM open_calls WHERE id = ?`;

const hasOthersSql = `
SELECT EXISTS (SELECT 1 FROM open_calls WHERE runner < :runner) OR EXISTS (SELECT 1 FROM open_calls WHERE runner > :runner)`;

const closeSql = 'DELETE FROM open_calls WHERE id = ?';

const runnersSql = (whose: string) =>
  `SELECT runner, max(seen_at_ms) AS seenAtMs FROM open_calls WHERE ${whose} GROUP BY runner`;

/** Each half reads the rows of others alone. */
const listRunnersSql = `${runnersSql('runner < :runner')} UNION ALL ${runnersSql('runner > :runner')}`;

/** What is left of a part that was closed still tells when the runner was last seen. */
const listOfSql = `
SELECT c.id, c.customer_no AS customerNo, c.key_no AS keyNo, m.event_name AS meter, r.name AS route, c.units,
  c.at_ms AS atMs, c.window_start_ms AS startMs, c.window_end_ms AS endMs, c.period_start_ms AS periodStartMs,
  c.on_abort AS onAbort, c.seen_at_ms AS seenAtMs, c.idempotency_key AS idempotencyKey, c.fingerprint
FROM open_calls c JOIN meters m ON m.no = c.meter_no JOIN routes r ON r.no = c.route_no
WHERE c.runner = :runner AND (SELECT max(seen_at_ms) FROM open_calls WHERE runner = :runner) = :seenAtMs
ORDER BY c.seen_at_ms, c.id LIMIT CAST(:limit AS INTEGER)`;

const sumsSql = (whose: string) => `
SELECT runner = :runner AS isOwn, sum(units) AS owed, sum(${heldSql} - units) AS held FROM open_calls
WHERE ${whose} AND at_ms >= :startMs AND at_ms < :endMs GROUP BY 1`;

const ofCustomer = 'customer_no = :no';

const ofKey = 'customer_no = (SELECT customer_no FROM keys WHERE no = :no) AND key_no = :no';

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

/** What a call that runs holds by its row, as usage of that time. */
export interface Holding {
  heldUnits: number;
  atMs: number;
}

/** Units of calls that run: what they owe, and what they hold beyond that. */
interface CallUnits {
  owed: number;
  held: number;
}

/** What came of a usage that adds nothing to the ledger. */
export type Unchanged = Pick<RecordedUsage, 'id' | 'recorded' | 'units'>;

/** The rows of calls that run. All but `contract` happens inside a transaction of the caller's. */
export interface OpenCallRows {
  contract: Pick<OpenCallStore, 'listCallRunners' | 'listCallsOf'>;
  /** Whether other processes run calls, or have left some in a crash. */
  hasOthers(): boolean;
  /** Begins or ends the entry's call. `undefined` for what goes into the ledger. */
  step(entry: Entry): Unchanged | undefined;
  /** Notes how far a call has come. */
  progress(call: CallProgress): void;
  /** What a call holds, while it is open. */
  findHolding(id: string): Holding | undefined;
  /** The units of those calls that belong to a count. */
  sums(count: UsageCount): { own: CallUnits; others: CallUnits };
}

/** Prepares the statements. `runner` stands for this process in the rows of its calls. */
export function createOpenCalls({ connection, read }: Database, runner: string): OpenCallRows {
  const open = connection.prepare<[Record<string, unknown>]>(openSql);
  const progress = connection.prepare<[Record<string, unknown>]>(progressSql);
  const close = connection.prepare<[string]>(closeSql);
  const findHolding = connection.prepare<[string], Holding>(findHoldingSql);
  const listRunners = connection.prepare<[{ runner: string }], SeenRunner>(listRunnersSql);
  const listOf = connection.prepare<[SeenRunner & { limit: number }], Row>(listOfSql);
  const hasOthers = connection.prepare<[{ runner: string }], 0 | 1>(hasOthersSql).pluck();
  const prepareSums = (whose: string) =>
    connection.prepare<[Record<string, unknown>], CallUnits & { isOwn: 0 | 1 }>(sumsSql(whose));
  const sumsOf = { customer: prepareSums(ofCustomer), key: prepareSums(ofKey) };

  function begin({ usage, meterNo, routeNo }: Entry): void {
    const { window, call, customerNo, keyNo, units, atMs, periodStartMs, answered } = usage;
    const { id, onAbort, seenAtMs, heldUnits = 0 } = call ?? {};
    const numbers = { customerNo, keyNo, meterNo, routeNo, units, atMs, periodStartMs };
    const { idempotencyKey = null, fingerprint = null } = answered ?? {};
    const held = { heldUnits: Math.max(units, heldUnits) };
    open.run({ id, runner, onAbort, seenAtMs, ...numbers, ...held, ...window, idempotencyKey, fingerprint });
  }

  return {
    contract: {
      listCallRunners: async () => read(() => listRunners.all({ runner })),
      listCallsOf: async (of, limit) => read(() => listOf.all({ ...of, limit })).map(rowOf),
    },
    hasOthers: () => hasOthers.get({ runner }) === 1,
    step(entry) {
      const { call, units } = entry.usage;
      if (!call) return undefined;
      if (call.step === 'over') {
        return close.run(call.id).changes > 0 ? undefined : { id: 0, recorded: 'closed', units: 0 };
      }
      begin(entry);
      return { id: 0, recorded: 'open', units };
    },
    progress: ({ id, units, heldUnits, atMs, seenAtMs, periodStartMs, window }) =>
      void progress.run({ id, units, heldUnits, atMs, seenAtMs, periodStartMs, ...window }),
    findHolding: (id) => findHolding.get(id),
    sums({ whose: { kind, no }, window: { startMs, endMs } }) {
      const nothing = { owed: 0, held: 0 };
      const sums = { own: nothing, others: nothing };
      for (const { isOwn, owed, held } of sumsOf[kind].all({ no, runner, startMs, endMs })) {
        sums[isOwn ? 'own' : 'others'] = { owed, held };
      }
      return sums;
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
