/** Whose usage came lately, in SQLite. */

import type { UsageStore } from '../domain/store.js';
import type { Database } from './open.js';

/** The ledger's rows are numbered in the order of their commits, so the tail is found by number. */
const usedSinceSql = `
SELECT c.id AS customerId, max(u.id) AS usageId
FROM (SELECT id, customer_no FROM usage WHERE id > ? ORDER BY id LIMIT 2000) u JOIN customers c ON c.no = u.customer_no
GROUP BY u.customer_no`;

/** The part of the ledger that tells of recent usage. */
export function createRecentUsage({ connection, read }: Database): Pick<UsageStore, 'listUsedSince'> {
  const lastId = connection.prepare<[], number>('SELECT id FROM usage ORDER BY id DESC LIMIT 1').pluck();
  const usedSince = connection.prepare<[number], { customerId: string; usageId: number }>(usedSinceSql);
  return {
    async listUsedSince(usageId) {
      return read(() => {
        const used = usageId === undefined ? [] : usedSince.all(usageId);
        const lastUsageId =
          used.length === 0 ? (lastId.get() ?? 0) : Math.max(...used.map((row) => row.usageId));
        return { customerIds: used.map(({ customerId }) => customerId), lastUsageId };
      });
    },
  };
}
