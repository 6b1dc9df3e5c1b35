/** The audit log, in SQLite. */

import type { AuditEntry, NewAuditEntry } from '../domain/audit.js';
import type { AuditStore } from '../domain/store.js';
import type { Database } from './open.js';
import { keyOfCursor, pageOf } from './page.js';

interface AuditRow extends Omit<AuditEntry, 'details'> {
  details: string;
}

const insertSql = `
INSERT INTO audit (at_ms, actor, action, subject, customer_id, details)
VALUES (:atMs, :actor, :action, :subject, :customerId, :details)`;

const selectSql = `
SELECT no AS id, at_ms AS atMs, actor, action, subject, customer_id AS customerId, details FROM audit`;

/** Writes entries for the other nouns, inside the transaction of the change. */
export interface AuditWriter {
  record(entry: NewAuditEntry): void;
}

/** The audit part of the contract, and the writer that the other nouns use. */
export function createAudit({ connection, read, write }: Database): AuditStore & { audit: AuditWriter } {
  const insert = connection.prepare<[Record<string, unknown>]>(insertSql);
  function record({ details, ...entry }: NewAuditEntry): void {
    insert.run({ ...entry, details: JSON.stringify(details) });
  }
  return {
    audit: { record },
    async recordAudit(entry) {
      await write(() => record(entry));
    },
    async listAudit(filter, page) {
      const after = keyOfCursor('audit', 1, page)?.[0];
      const conditions = [
        'true',
        after !== undefined && 'no < :after',
        filter.actor !== undefined && 'actor = :actor',
        filter.action !== undefined && 'action = :action',
        filter.subject !== undefined && 'subject = :subject',
        filter.customerId !== undefined && 'customer_id = :customerId',
        filter.fromMs !== undefined && 'at_ms >= :fromMs',
        filter.toMs !== undefined && 'at_ms < :toMs',
      ].filter((condition) => condition !== false);
      const sql = `${selectSql} WHERE ${conditions.join(' AND ')} ORDER BY no DESC LIMIT :limit`;
      const rows = read(() =>
        connection
          .prepare<[Record<string, unknown>], AuditRow>(sql)
          .all({ ...filter, after, limit: page.limit + 1 }),
      );
      return pageOf(
        'audit',
        page.limit,
        rows,
        (row) => [row.id],
        ({ details, ...row }) => ({ ...row, details: JSON.parse(details) }),
      );
    },
  };
}
