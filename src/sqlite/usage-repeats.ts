/** Usage under an idempotency key, in SQLite: the same key of the same customer records once. */

import assert from 'node:assert';
import type { Database as Connection } from 'better-sqlite3';
import type { UsageStore } from '../domain/store.js';
import type { NewUsage, RecordedUsage } from '../domain/usage.js';
import { createAnswerKeeper } from './answers.js';
import type { Database } from './open.js';

const noteSql = `
INSERT INTO usage_notes (usage_id, customer_no, idempotency_key, recorded_at_ms) VALUES (?, ?, ?, ?)`;

const findSql = `
SELECT u.id, u.units FROM usage_notes n JOIN usage u ON u.id = n.usage_id
WHERE n.customer_no = ? AND n.idempotency_key = ?`;

/** Remembers idempotency keys, inside a transaction of the caller. */
export interface Repeats {
  /** The places in the batch, of those that count, that only repeat what the ledger, or the batch before them, has under their key. */
  find(batch: readonly { usage: NewUsage }[], counts: (index: number) => boolean, nowMs: number): Set<number>;
  /** Whether the ledger has the usage under its key already. */
  isRepeat(usage: NewUsage, nowMs: number): boolean;
  /** The row that a repeat repeats. It must be there by now. */
  firstOf(usage: NewUsage, nowMs: number): { id: number; units: number };
  /** Remembers the key of a row that was added, and its answer; nothing for usage without one. */
  note(recorded: RecordedUsage, usage: NewUsage, nowMs: number): void;
}

/** Prepares the statements. */
export function createRepeats(connection: Connection): Repeats {
  const note = connection.prepare<[number, number, string, number]>(noteSql);
  const find = connection.prepare<[number, string], { id: number; units: number }>(findSql);
  const answers = createAnswerKeeper(connection);

  function firstOf(usage: NewUsage, nowMs: number): { id: number; units: number } | undefined {
    const { customerNo, idempotencyKey } = usage;
    return (
      (idempotencyKey === undefined ? undefined : find.get(customerNo, idempotencyKey)) ??
      answers.find(usage, nowMs)
    );
  }

  return {
    find(batch, counts, nowMs) {
      const repeats = new Set<number>();
      const inBatch = new Set<string>();
      batch.forEach(({ usage }, index) => {
        const names = namesOf(usage);
        if (names.length === 0 || !counts(index)) return;
        if (names.some((name) => inBatch.has(name)) || firstOf(usage, nowMs)) repeats.add(index);
        for (const name of names) inBatch.add(name);
      });
      return repeats;
    },
    isRepeat: (usage, nowMs) => firstOf(usage, nowMs) !== undefined,
    firstOf(usage, nowMs) {
      const first = firstOf(usage, nowMs);
      assert(first);
      return first;
    },
    note(recorded, usage, nowMs) {
      const { customerNo, idempotencyKey } = usage;
      if (idempotencyKey !== undefined) note.run(recorded.id, customerNo, idempotencyKey, nowMs);
      answers.keep(recorded, usage, nowMs);
    },
  };
}

/** The question about a key of the contract. */
export function createRepeatQuery({ connection, read }: Database): Pick<UsageStore, 'findUsageUnder'> {
  const find = connection.prepare<[number, string], { id: number }>(findSql);
  return {
    async findUsageUnder(customerNo, idempotencyKey) {
      return read(() => find.get(customerNo, idempotencyKey)?.id);
    },
  };
}

/** What the usage is known by in its batch. */
function namesOf({ customerNo, idempotencyKey, answered }: NewUsage): string[] {
  const names: string[] = [];
  if (idempotencyKey !== undefined) names.push(`usage ${customerNo} ${idempotencyKey}`);
  if (answered) names.push(`call ${customerNo} ${answered.idempotencyKey}`);
  return names;
}
