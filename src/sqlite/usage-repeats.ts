/** Usage under an idempotency key, in SQLite: the same key of the same customer records once. */

import assert from 'node:assert';
import type { Database as Connection } from 'better-sqlite3';
import type { NewUsage } from '../domain/usage.js';

const noteSql = `
INSERT INTO usage_notes (usage_id, customer_no, idempotency_key, recorded_at_ms) VALUES (?, ?, ?, ?)`;

const findSql = `
SELECT u.id, u.units FROM usage_notes n JOIN usage u ON u.id = n.usage_id
WHERE n.customer_no = ? AND n.idempotency_key = ?`;

/** Remembers idempotency keys, inside a transaction of the caller. */
export interface Repeats {
  /** The places in the batch that only repeat what the ledger, or the batch before them, has under their key. */
  find(batch: readonly NewUsage[]): Set<number>;
  /** The row that a repeat repeats. It must be there by now. */
  firstOf(usage: NewUsage): { id: number; units: number };
  /** Remembers the key of a row that was added; nothing for usage without one. */
  note(id: number, usage: NewUsage, nowMs: number): void;
}

/** Prepares the statements. */
export function createRepeats(connection: Connection): Repeats {
  const note = connection.prepare<[number, number, string, number]>(noteSql);
  const find = connection.prepare<[number, string], { id: number; units: number }>(findSql);
  return {
    find(batch) {
      const repeats = new Set<number>();
      const inBatch = new Set<string>();
      batch.forEach(({ customerNo, idempotencyKey }, index) => {
        if (idempotencyKey === undefined) return;
        const name = `${customerNo} ${idempotencyKey}`;
        if (inBatch.has(name) || find.get(customerNo, idempotencyKey)) repeats.add(index);
        inBatch.add(name);
      });
      return repeats;
    },
    firstOf({ customerNo, idempotencyKey }) {
      const first = idempotencyKey === undefined ? undefined : find.get(customerNo, idempotencyKey);
      assert(first);
      return first;
    },
    note(id, { customerNo, idempotencyKey }, nowMs) {
      if (idempotencyKey !== undefined) note.run(id, customerNo, idempotencyKey, nowMs);
    },
  };
}
