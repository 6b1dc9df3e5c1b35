/** Lists of keys, in SQLite. */

import type { KeyStatus } from '../domain/key.js';
import type { KeyStore } from '../domain/key-store.js';
import { type KeyRow, selectKeySql, toKey } from './key-rows.js';
import type { Database } from './open.js';
import { keyOfCursor, pageOf } from './page.js';

/** The rule of `keyStatus`, as SQL. */
const statusSql: Record<KeyStatus, string> = {
  revoked: 'k.revoked_at_ms <= :nowMs',
  expired: '(k.revoked_at_ms IS NULL OR k.revoked_at_ms > :nowMs) AND k.expires_at_ms <= :nowMs',
  active: `(k.revoked_at_ms IS NULL OR k.revoked_at_ms > :nowMs)
    AND (k.expires_at_ms IS NULL OR k.expires_at_ms > :nowMs)`,
};

/** `min` of SQLite is NULL when one of both is, so what is missing counts as far away. */
const endingSql = `${statusSql.active}
  AND min(COALESCE(k.expires_at_ms, :endingBeforeMs), COALESCE(k.revoked_at_ms, :endingBeforeMs)) < :endingBeforeMs`;

/** The list of the key part of the contract. */
export function createKeyList({ connection, read }: Database): KeyStore['listKeys'] {
  return async (filter, page) => {
    const after = keyOfCursor('keys', 1, page)?.[0];
    const conditions = [
      'true',
      after !== undefined && 'k.no < :after',
      filter.customerId !== undefined && 'k.customer_no = (SELECT no FROM customers WHERE id = :customerId)',
      filter.status !== undefined && statusSql[filter.status],
      filter.unusedSinceMs !== undefined && 'COALESCE(k.last_used_at_ms, k.created_at_ms) < :unusedSinceMs',
      filter.endingBeforeMs !== undefined && endingSql,
    ].filter((condition) => condition !== false);
    const sql = `${selectKeySql} WHERE ${conditions.join(' AND ')} ORDER BY k.no DESC LIMIT :limit`;
    const rows = read(() =>
      connection
        .prepare<[Record<string, unknown>], KeyRow>(sql)
        .all({ ...filter, after, limit: page.limit + 1 }),
    );
    return pageOf('keys', page.limit, rows, (row) => [row.no], toKey);
  };
}
