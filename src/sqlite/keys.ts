/** API keys, in SQLite. */

import assert from 'node:assert';
import { MeterctlError } from '../domain/error.js';
import type { ApiKey, KeyStatus, NewApiKey } from '../domain/key.js';
import type { KeyStore } from '../domain/store.js';
import type { CustomerReader } from './customers.js';
import type { Database } from './open.js';
import { keyOfCursor, pageOf } from './page.js';

interface KeyRow extends Omit<ApiKey, 'scopes'> {
  scopes: string;
  customerNo: number;
}

const selectSql = `
SELECT k.no, k.id, c.id AS customerId, k.customer_no AS customerNo, k.name, k.hint, k.scopes,
  k.created_at_ms AS createdAtMs, k.expires_at_ms AS expiresAtMs, k.revoked_at_ms AS revokedAtMs,
  k.last_used_at_ms AS lastUsedAtMs
FROM keys k JOIN customers c ON c.no = k.customer_no`;

const insertSql = `
INSERT INTO keys (id, hash, customer_no, name, hint, scopes, created_at_ms, expires_at_ms)
VALUES (:id, :hash, :customerNo, :name, :hint, :scopes, :createdAtMs, :expiresAtMs)
ON CONFLICT DO NOTHING`;

/** The rule of `keyStatus`, as SQL. */
const statusSql: Record<KeyStatus, string> = {
  revoked: 'k.revoked_at_ms <= :nowMs',
  expired: '(k.revoked_at_ms IS NULL OR k.revoked_at_ms > :nowMs) AND k.expires_at_ms <= :nowMs',
  active: `(k.revoked_at_ms IS NULL OR k.revoked_at_ms > :nowMs)
    AND (k.expires_at_ms IS NULL OR k.expires_at_ms > :nowMs)`,
};

/** Adds keys for other nouns, inside a transaction of theirs. */
export interface KeyWriter {
  /** Throws `not_found` without the customer, `conflict` when the id or the secret is there already. */
  add(key: NewApiKey): ApiKey;
}

/** The key part of the contract, and the writer that checkouts use. */
export function createKeys(database: Database, customers: CustomerReader): KeyStore & { keys: KeyWriter } {
  const { connection, read, write } = database;
  const insert = connection.prepare<[Record<string, unknown>]>(insertSql);
  const findById = connection.prepare<[string], KeyRow>(`${selectSql} WHERE k.id = ?`);
  const findByHash = connection.prepare<[Uint8Array], KeyRow>(`${selectSql} WHERE k.hash = ?`);
  const revoke = connection.prepare<[number, string]>(
    'UPDATE keys SET revoked_at_ms = ? WHERE id = ? AND revoked_at_ms IS NULL',
  );
  const recordUse = connection.prepare<[{ keyNo: number; atMs: number }]>(
    `UPDATE keys SET last_used_at_ms = :atMs
     WHERE no = :keyNo AND (last_used_at_ms IS NULL OR last_used_at_ms < :atMs)`,
  );
  const revision = connection.prepare<[], number>('SELECT revision FROM access_revision').pluck();

  function add({ customerId, scopes, ...key }: NewApiKey): ApiKey {
    const customer = customers.find(customerId);
    if (!customer) throw new MeterctlError('not_found', `There is no customer ${customerId}.`);
    const { changes } = insert.run({ ...key, customerNo: customer.no, scopes: JSON.stringify(scopes) });
    if (changes === 0) throw new MeterctlError('conflict', `The key ${key.id} or its secret exists already.`);
    const row = findById.get(key.id);
    assert(row);
    return toKey(row);
  }

  return {
    keys: { add },
    async addKey(key) {
      return write(() => add(key));
    },
    async findKeyByHash(hash) {
      return read(() => {
        const row = findByHash.get(hash);
        const customer = row && customers.findByNo(row.customerNo);
        return customer && { key: toKey(row), customer };
      });
    },
    async findKey(id) {
      const row = read(() => findById.get(id));
      return row && toKey(row);
    },
    listKeys: createKeyList(database),
    async revokeKey(id, nowMs) {
      return write(() => {
        if (revoke.run(nowMs, id).changes > 0) return 'revoked';
        return findById.get(id) ? 'already' : undefined;
      });
    },
    async recordKeyUses(uses) {
      write(() => {
        for (const use of uses) recordUse.run(use);
      });
    },
    async accessRevision() {
      const number = read(() => revision.get());
      assert(number !== undefined);
      return number;
    },
  };
}

function createKeyList({ connection, read }: Database): KeyStore['listKeys'] {
  return async (filter, page) => {
    const after = keyOfCursor('keys', 1, page)?.[0];
    const conditions = [
      after !== undefined && 'k.no < :after',
      filter.customerId !== undefined && 'k.customer_no = (SELECT no FROM customers WHERE id = :customerId)',
      filter.status !== undefined && statusSql[filter.status],
      filter.unusedSinceMs !== undefined &&
        '(k.last_used_at_ms IS NULL OR k.last_used_at_ms < :unusedSinceMs)',
    ].filter((condition) => condition !== false);
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const rows = read(() =>
      connection
        .prepare<[Record<string, unknown>], KeyRow>(`${selectSql} ${where} ORDER BY k.no DESC LIMIT :limit`)
        .all({ ...filter, after, limit: page.limit + 1 }),
    );
    return pageOf('keys', page.limit, rows, (row) => [row.no], toKey);
  };
}

function toKey({ scopes, customerNo: _, ...row }: KeyRow): ApiKey {
  return { ...row, scopes: scopesOf(scopes) };
}

/** The column is checked to be a JSON array, and only `add` writes it: strings. */
function scopesOf(text: string): string[] {
  return JSON.parse(text);
}
