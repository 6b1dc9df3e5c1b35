/** Answers kept for repeats, in SQLite. */

import type { Database as Connection } from 'better-sqlite3';
import { type AnswerStore, answerAgeMaxMs, type KeptAnswer } from '../domain/answer.js';
import type { NewUsage, RecordedUsage } from '../domain/usage.js';
import type { Clock } from '../lib/host.js';
import { createAnswerClaims } from './answer-claims.js';
import { writeInBatches } from './batches.js';
import type { Database } from './open.js';

interface AnswerRow extends Omit<KeptAnswer, 'headers'> {
  usageId: number;
  headers: string;
}

const keepSql = `
INSERT INTO answers (customer_no, idempotency_key, fingerprint, usage_id, status, headers, body, created_at_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (customer_no, idempotency_key) DO UPDATE SET
  fingerprint = excluded.fingerprint, usage_id = excluded.usage_id, status = excluded.status,
  headers = excluded.headers, body = excluded.body, created_at_ms = excluded.created_at_ms`;

/** A row from the future was written before the clock was set back: it counts. */
const findSql = `
SELECT a.fingerprint, a.status, a.headers, a.body, a.usage_id AS usageId, u.units
FROM answers a JOIN usage u ON u.id = a.usage_id
WHERE a.customer_no = ? AND a.idempotency_key = ? AND a.created_at_ms > ?`;

const findOpenSql = 'SELECT fingerprint FROM open_calls WHERE customer_no = ? AND idempotency_key = ?';

const removeSql = `
DELETE FROM answers WHERE (customer_no, idempotency_key) IN (
  SELECT customer_no, idempotency_key FROM answers WHERE created_at_ms <= :beforeMs LIMIT :rows
)`;

/** Keeps answers for the ledger, inside its transaction. */
export interface AnswerKeeper {
  /** The row of the ledger whose answer is still kept under the usage's key. */
  find(usage: NewUsage, nowMs: number): { id: number; units: number } | undefined;
  keep(recorded: RecordedUsage, usage: NewUsage, nowMs: number): void;
}

/** Prepares the statements that the ledger needs. */
export function createAnswerKeeper(connection: Connection): AnswerKeeper {
  const find = connection.prepare<[number, string, number], AnswerRow>(findSql);
  const keep =
    connection.prepare<[number, string, Uint8Array, number, number, string, Uint8Array | null, number]>(
      keepSql,
    );
  return {
    find({ answered, customerNo }, nowMs) {
      const row = answered && find.get(customerNo, answered.idempotencyKey, nowMs - answerAgeMaxMs);
      return row && { id: row.usageId, units: row.units };
    },
    keep(recorded, { answered, customerNo }, nowMs) {
      if (!answered) return;
      const { status, headers, body } = answered.answerTo(recorded);
      const { idempotencyKey, fingerprint } = answered;
      const text = JSON.stringify(headers);
      keep.run(customerNo, idempotencyKey, fingerprint, recorded.id, status, text, body, nowMs);
    },
  };
}

/** The part of the contract that repeats are answered from. */
export function createAnswers(database: Database, clock: Clock): AnswerStore {
  const { connection, read } = database;
  const findAnswered = connection.prepare<[number, string, number], AnswerRow>(findSql);
  const findOpen = connection.prepare<[number, string], Uint8Array>(findOpenSql).pluck();
  const remove = connection.prepare<[{ beforeMs: number; rows: number }]>(removeSql);

  function find(customerNo: number, idempotencyKey: string, nowMs: number) {
    const row = findAnswered.get(customerNo, idempotencyKey, nowMs - answerAgeMaxMs);
    if (row) return keptAnswer(row);
    const fingerprint = findOpen.get(customerNo, idempotencyKey);
    return fingerprint && ({ fingerprint, status: 'running' } as const);
  }

  return {
    ...createAnswerClaims(database, find),
    findAnswer: async (...call) => read(() => find(...call)),
    removeAnswers: (nowMs) =>
      writeInBatches(
        database,
        clock,
        (rows) => remove.run({ beforeMs: nowMs - answerAgeMaxMs, rows }).changes,
      ),
  };
}

function keptAnswer({ usageId: _, headers, ...answer }: AnswerRow): KeptAnswer {
  // Only `keep` writes the column, from headers.
  return { ...answer, headers: JSON.parse(headers) as KeptAnswer['headers'] };
}
