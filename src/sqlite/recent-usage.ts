/** Whose usage came lately, in SQLite. */

import type { UsageStore } from '../domain/store.js';
import type { Database } from './open.js';

/** The ledger's rows are numbered in the order of their commits, so the tail is found by number. */
const usedSinceSql = `
SELECT DISTINCT c.id FROM usage u JOIN customers c ON c.no = u.customer_no WHERE u.id > ? LIMIT 1000`;

/** The part of the ledger that tells of recent usage. */
export function createRecentUsage({ connection, read }: Database): Pick<UsageStore, 'listUsedSince'> {
  const lastId = connection.prepare<[], number>('SELECT id FROM usage ORDER BY id DESC LIMIT 1').pluck();
  const usedSince = connection.prepare<[number], string>(usedSinceSql).pluck();
  return {
    async listUsedSince(usageId) {
      return read(() => ({
        customerIds: usageId === undefined ? [] : usedSince.all(usageId),
        lastUsageId: lastId.get() ?? 0,
      }));
    },
  };
}
