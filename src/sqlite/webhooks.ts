/** The inbox of Stripe's messages, in SQLite. */

import type { WebhookOutcome, WebhookStore } from '../domain/store.js';
import { type Webhook, type WebhookState, waitMaxMs } from '../domain/webhook.js';
import type { Clock } from '../lib/host.js';
import { writeInBatches } from './batches.js';
import type { Database } from './open.js';
import { keyOfCursor, pageOf } from './page.js';

interface WebhookRow extends Webhook {
  no: number;
}

const columns = `no, id, kind, type, body, created_at_ms AS createdAtMs, source, state, received_at_ms AS receivedAtMs,
  applied_at_ms AS appliedAtMs, attempts, next_attempt_at_ms AS nextAttemptAtMs, reason`;

const insertSql = `
INSERT INTO webhooks (id, kind, type, body, created_at_ms, source, state, received_at_ms, next_attempt_at_ms)
VALUES (:id, :kind, :type, :body, :createdAtMs, :source, 'received', :nowMs, :nowMs)
ON CONFLICT (id) DO NOTHING`;

/** What waits for longer than anything may was made to wait by a clock that was ahead. */
const claimSql = `
UPDATE webhooks SET attempts = attempts + 1, next_attempt_at_ms = :nowMs + :leaseMs
WHERE no IN (
  SELECT no FROM webhooks INDEXED BY webhooks_waiting
  WHERE state = 'received' AND (next_attempt_at_ms <= :nowMs OR next_attempt_at_ms > :nowMs + ${waitMaxMs})
  ORDER BY next_attempt_at_ms, no LIMIT :limit
)
RETURNING ${columns}`;

/** What was applied once stays applied: another process that failed at the same message comes too late. */
const settleSql: Record<WebhookOutcome['kind'], string> = {
  applied: `UPDATE webhooks SET state = 'applied', applied_at_ms = :atMs, reason = NULL
    WHERE id = :id AND state <> 'applied'`,
  retry: `UPDATE webhooks SET state = 'received', next_attempt_at_ms = :atMs, reason = :reason
    WHERE id = :id AND state <> 'applied'`,
  failed: `UPDATE webhooks SET state = 'failed', reason = :reason
    WHERE id = :id AND state <> 'applied'`,
};

/** By both times: one is Stripe's, and the other this machine's, whose clock may have been wrong. */
const removeSql = `
DELETE FROM webhooks WHERE no IN (
  SELECT no FROM webhooks INDEXED BY webhooks_applied
  WHERE state = 'applied' AND received_at_ms < :beforeMs AND created_at_ms < :beforeMs LIMIT :rows
)`;

/** Spelled out, not bound: only then SQLite may use the index on the rows in that state. */
const stateSql: Record<WebhookState, string> = {
  received: "state = 'received'",
  applied: "state = 'applied'",
  failed: "state = 'failed'",
};

/** The inbox part of the contract. */
export function createWebhooks(database: Database, clock: Clock): WebhookStore {
  const { connection, read, write } = database;
  const insert = connection.prepare<[Record<string, unknown>]>(insertSql);
  const find = connection.prepare<[string], WebhookRow>(`SELECT ${columns} FROM webhooks WHERE id = ?`);
  const claim = connection.prepare<[Record<string, unknown>], WebhookRow>(claimSql);
  const remove = connection.prepare<[Record<string, unknown>]>(removeSql);
  const settle = {
    applied: connection.prepare<[Record<string, unknown>]>(settleSql.applied),
    retry: connection.prepare<[Record<string, unknown>]>(settleSql.retry),
    failed: connection.prepare<[Record<string, unknown>]>(settleSql.failed),
  };

  return {
    async recordWebhook(webhook, nowMs) {
      return write(() => (insert.run({ ...webhook, nowMs }).changes > 0 ? 'first' : 'seen'));
    },
    async claimWebhooks(asked) {
      // What an UPDATE returns comes in no order.
      const rows = await write(() => claim.all(asked));
      rows.sort((a, b) => a.no - b.no);
      return rows.map(toWebhook);
    },
    async settleWebhook(id, { kind, ...outcome }) {
      await write(() => settle[kind].run({ id, ...outcome }));
    },
    removeWebhooks: (beforeMs) =>
      writeInBatches(database, clock, (rows) => remove.run({ beforeMs, rows }).changes),
    async findWebhook(id) {
      const row = read(() => find.get(id));
      return row && toWebhook(row);
    },
    async listWebhooks({ state }, page) {
      const after = keyOfCursor('webhooks', 1, page)?.[0];
      const rows = read(() =>
        connection
          .prepare<[Record<string, unknown>], WebhookRow>(listSql(state, after))
          .all({ after, limit: page.limit + 1 }),
      );
      return pageOf('webhooks', page.limit, rows, (row) => [row.no], toWebhook);
    },
  };
}

function listSql(state: WebhookState | undefined, after: number | undefined): string {
  return `SELECT ${columns} FROM webhooks
    WHERE ${state ? stateSql[state] : 'true'} AND ${after === undefined ? 'true' : 'no < :after'}
    ORDER BY no DESC LIMIT :limit`;
}

function toWebhook({ no: _, ...webhook }: WebhookRow): Webhook {
  return webhook;
}
