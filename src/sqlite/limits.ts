/** Limits, in SQLite. */

import type { LimitSubject, Limits } from '../domain/limit.js';
import type { LimitStore } from '../domain/store.js';
import type { Database } from './open.js';

const recordSql = `
INSERT INTO limits (kind, subject, limits) VALUES (?, ?, ?)
ON CONFLICT (kind, subject) DO UPDATE SET limits = excluded.limits`;

/** Which tables hold those whom limits may be set for; a price is Stripe's. */
const homes = { key: 'keys', customer: 'customers' } as const;

/** Writes limits for other nouns, inside a transaction of theirs. */
export interface LimitWriter {
  ofKey(keyId: string, limits: Limits): void;
}

/** The limits part of the contract, and the writer that keys use. */
export function createLimits({ connection, read, write }: Database): LimitStore & { limits: LimitWriter } {
  const find = connection
    .prepare<[string, string], string>('SELECT limits FROM limits WHERE kind = ? AND subject = ?')
    .pluck();
  const record = connection.prepare<[string, string, string]>(recordSql);
  const remove = connection.prepare<[string, string]>('DELETE FROM limits WHERE kind = ? AND subject = ?');
  const exists = {
    key: connection.prepare<[string]>(`SELECT 1 FROM ${homes.key} WHERE id = ?`),
    customer: connection.prepare<[string]>(`SELECT 1 FROM ${homes.customer} WHERE id = ?`),
  };

  function limitsOf(kind: LimitSubject['kind'], subject: string): Limits | undefined {
    const text = find.get(kind, subject);
    // Only `recordLimits` writes the column.
    return text === undefined ? undefined : (JSON.parse(text) as Limits);
  }

  return {
    limits: { ofKey: (keyId, limits) => void record.run('key', keyId, JSON.stringify(limits)) },
    async recordLimits(subject, limits) {
      const { kind } = subject;
      const id = nameOf(subject);
      return write(() => {
        if (kind !== 'plan' && !exists[kind].get(id)) return 'unknown';
        if (limits === undefined) remove.run(kind, id);
        else record.run(kind, id, JSON.stringify(limits));
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
