/** Alerts, in SQLite. */

import type {
  AlertedLimit,
  AlertOutcome,
  AlertSend,
  AlertSink,
  AlertStore,
  NewAlert,
} from '../domain/alert.js';
import type { Database } from './open.js';
import { keyOfCursor, pageOf } from './page.js';

interface AlertRow {
  no: number;
  id: string;
  customerId: string;
  meter: string;
  limit: AlertedLimit;
  threshold: number;
  used: number;
  allowed: number;
  startMs: number;
  endMs: number | null;
  raisedAtMs: number;
}

interface DueRow extends AlertRow {
  sink: AlertSink;
  attempts: number;
}

const columns = `a.no, a.id, c.id AS customerId, a.meter, a.kind AS "limit", a.threshold, a.used, a.allowed,
  a.window_start_ms AS startMs, a.window_end_ms AS endMs, a.raised_at_ms AS raisedAtMs`;

const insertSql = `
INSERT INTO alerts (
  id, customer_no, meter, kind, threshold, used, allowed, window_start_ms, window_end_ms, raised_at_ms
)
SELECT :id, no, :meter, :limit, :threshold, :used, :allowed, :startMs, :endMs, :raisedAtMs FROM customers WHERE id = :customerId
ON CONFLICT DO NOTHING`;

const dueSql = `
SELECT ${columns}, s.sink, s.attempts FROM alert_sends s
  JOIN alerts a ON a.no = s.alert_no JOIN customers c ON c.no = a.customer_no
WHERE s.state = 'pending' AND s.next_attempt_at_ms <= :nowMs
ORDER BY s.next_attempt_at_ms LIMIT :limit`;

const settleSql: Record<AlertOutcome['kind'], string> = {
  sent: `UPDATE alert_sends SET state = 'sent', reason = NULL`,
  retry: `UPDATE alert_sends SET next_attempt_at_ms = :atMs, reason = :reason`,
  failed: `UPDATE alert_sends SET state = 'failed', reason = :reason`,
};

/** The alerts part of the contract. */
export function createAlertStore(database: Database): AlertStore {
  const { connection, read, write } = database;
  const prepare = (sql: string) => connection.prepare<[Record<string, unknown>]>(sql);
  const insert = prepare(insertSql);
  const addSend = connection.prepare<[number | bigint, AlertSink, number]>(
    `INSERT INTO alert_sends (alert_no, sink, state, next_attempt_at_ms) VALUES (?, ?, 'pending', ?)`,
  );
  const due = connection.prepare<[Record<string, unknown>], DueRow>(dueSql);
  const lease = connection.prepare<[number, number, AlertSink]>(
    'UPDATE alert_sends SET attempts = attempts + 1, next_attempt_at_ms = ? WHERE alert_no = ? AND sink = ?',
  );
  const ofSend = `WHERE alert_no = (SELECT no FROM alerts WHERE id = :id) AND sink = :sink AND state = 'pending'`;
  const settle = {
    sent: prepare(`${settleSql.sent} ${ofSend}`),
    retry: prepare(`${settleSql.retry} ${ofSend}`),
    failed: prepare(`${settleSql.failed} ${ofSend}`),
  };

  return {
    async recordAlerts(alerts, sinks, nowMs) {
      return write(() => {
        let added = 0;
        for (const { window, ...alert } of alerts) {
          const { changes, lastInsertRowid } = insert.run({ ...alert, ...window });
          if (changes === 0) continue;
          added += 1;
          for (const sink of sinks) addSend.run(lastInsertRowid, sink, nowMs);
        }
        return added;
      });
    },
    async claimAlerts({ nowMs, leaseUntilMs, limit }) {
      return write(() =>
        due.all({ nowMs, limit }).map(({ sink, attempts, ...row }) => {
          lease.run(leaseUntilMs, row.no, sink);
          return { alert: toAlert(row), sink, attempts: attempts + 1 };
        }),
      );
    },
    async settleAlert(id, sink, { kind, ...values }) {
      await write(() => settle[kind].run({ ...values, id, sink }));
    },
    listAlerts: createAlertList(database, read),
  };
}

function createAlertList({ connection }: Database, read: Database['read']): AlertStore['listAlerts'] {
  const list = connection.prepare<[Record<string, unknown>], AlertRow>(`
SELECT ${columns} FROM alerts a JOIN customers c ON c.no = a.customer_no
WHERE (:after IS NULL OR a.no < :after) AND (:customerId IS NULL OR c.id = :customerId)
ORDER BY a.no DESC LIMIT :limit`);
  const sendsOf = connection.prepare<[number], AlertSend>(`
SELECT sink, state, attempts, next_attempt_at_ms AS nextAttemptAtMs, reason FROM alert_sends
WHERE alert_no = ? ORDER BY sink`);
  return async ({ customerId = null }, page) => {
    const after = keyOfCursor('alerts', 1, page)?.[0] ?? null;
    return read(() =>
      pageOf(
        'alerts',
        page.limit,
        list.all({ customerId, after, limit: page.limit + 1 }),
        (row) => [row.no],
        (row) => ({ ...toAlert(row), sends: sendsOf.all(row.no) }),
      ),
    );
  };
}

function toAlert({ no: _, startMs, endMs, ...alert }: AlertRow): NewAlert {
  return { ...alert, window: { startMs, endMs } };
}
