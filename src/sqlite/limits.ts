/** Limits, in SQLite. */

import type { LimitSubject, Limits } from '../domain/limit.js';
import type { LimitStore } from '../domain/store.js';
import type { AuditWriter } from './audit.js';
import type { Database } from './open.js';

const recordSql = `
INSERT INTO limits (kind, subject, limits) VALUES (?, ?, ?)
ON CONFLICT (kind, subject) DO UPDATE SET limits = excluded.limits`;

/** Whom limits concern that are set for an id. A price is Stripe's, so it is not looked for. */
const concernedSql = {
  key: 'SELECT c.id FROM keys k JOIN customers c ON c.no = k.customer_no WHERE k.id = ?',
  customer: 'SELECT id FROM customers WHERE id = ?',
} as const;

/** Writes limits for other nouns, inside a transaction of theirs. */
export interface LimitWriter {
  ofKey(keyId: string, limits: Limits): void;
}

/** The limits part of the contract, and the writer that keys use. */
export function createLimits(
  { connection, read, write }: Database,
  audit: AuditWriter,
): LimitStore & { limits: LimitWriter } {
  const find = connection
    .prepare<[string, string], string>('SELECT limits FROM limits WHERE kind = ? AND subject = ?')
    .pluck();
  const record = connection.prepare<[string, string, string]>(recordSql);
  const remove = connection.prepare<[string, string]>('DELETE FROM limits WHERE kind = ? AND subject = ?');
  const concerned = {
    key: connection.prepare<[string], string>(concernedSql.key).pluck(),
    customer: connection.prepare<[string], string>(concernedSql.customer).pluck(),
  };

  function limitsOf(kind: LimitSubject['kind'], subject: string): Limits | undefined {
    const text = find.get(kind, subject);
    // Only `recordLimits` writes the column.
    return text === undefined ? undefined : (JSON.parse(text) as Limits);
  }

  return {
    limits: { ofKey: (keyId, limits) => void record.run('key', keyId, JSON.stringify(limits)) },
    async recordLimits(subject, change, act) {
      const { kind } = subject;
      const id = nameOf(subject);
      return write(() => {
        const customerId = kind === 'plan' ? null : concerned[kind].get(id);
        if (customerId === undefined) return 'unknown';
        const limits = change && changed(limitsOf(kind, id), change);
        if (limits === undefined) remove.run(kind, id);
        else record.run(kind, id, JSON.stringify(limits));
        audit.record({
          ...act,
          action: 'limits.set',
          subject: id,
          customerId,
          details: { limits: limits ?? null },
        });
        return 'recorded';
      });
    },
    async findLimits({ keyId, customerId, priceId }) {
      return read(() => ({
        key: keyId === undefined ? undefined : limitsOf('key', keyId),
        customer: customerId === undefined ? undefined : limitsOf('customer', customerId),
        plan: priceId === undefined ? undefined : limitsOf('plan', priceId),
      }));
    },
  };
}

/** What is not named stays. */
function changed(before: Limits | undefined, change: Limits): Limits {
  const named = Object.entries(change).filter(([, limit]) => limit !== undefined);
  return { ...before, ...Object.fromEntries(named) };
}

function nameOf(subject: LimitSubject): string {
  switch (subject.kind) {
    case 'key':
      return subject.keyId;
    case 'customer':
      return subject.customerId;
    case 'plan':
      return subject.priceId;
  }
}
