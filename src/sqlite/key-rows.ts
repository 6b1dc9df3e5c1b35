/** Rows of the table of keys: how they are read and added. */

import assert from 'node:assert';
import { MeterctlError } from '../domain/error.js';
import type { ApiKey, NewApiKey } from '../domain/key.js';
import type { ImportedKey } from '../domain/key-hash.js';
import type { LimitWriter } from './limits.js';
import type { Database } from './open.js';

/** A key as SQLite gives it: lists and objects are JSON, checked to be such by the schema. */
export interface KeyRow extends Omit<ApiKey, 'metadata' | 'scopes' | 'ipAllow' | 'foreign'> {
  metadata: string;
  scopes: string;
  ipAllow: string;
  foreign: number;
  customerNo: number;
}

/** The columns of `KeyRow`, of keys `k` and customers `c`. */
export const keyColumns = `k.no, k.id, c.id AS customerId, k.customer_no AS customerNo, k.name, k.hint,
  k.is_foreign AS "foreign", k.metadata, k.scopes, k.ip_allow AS ipAllow, k.created_at_ms AS createdAtMs,
  k.expires_at_ms AS expiresAtMs, k.revoked_at_ms AS revokedAtMs, k.last_used_at_ms AS lastUsedAtMs`;

/** Keys with the ids of their customers. */
export const selectKeySql = `SELECT ${keyColumns} FROM keys k JOIN customers c ON c.no = k.customer_no`;

const insertSql = `
INSERT INTO keys (
  id, hash, customer_no, name, hint, is_foreign, metadata, scopes, ip_allow,
  created_at_ms, expires_at_ms, revoked_at_ms, last_used_at_ms
) VALUES (
  :id, :hash, :customerNo, :name, :hint, :foreign, :metadata, :scopes, :ipAllow,
  :createdAtMs, :expiresAtMs, :revokedAtMs, :lastUsedAtMs
) ON CONFLICT DO NOTHING`;

/** Reads and adds rows, inside a transaction of the caller's. */
export interface KeyRows {
  find(id: string): ApiKey | undefined;
  /** Throws `not_found` without the customer, `conflict` when the id or the secret is there already. */
  add(key: NewApiKey): ApiKey;
  /** Adds a row as it stands and returns its number, or `undefined` when id or hash is taken. `hash` may be unknown. */
  insert(key: Omit<ImportedKey, 'hash'>, customerNo: number, hash: Uint8Array | null): number | undefined;
}

/** The table of keys; what is limited about a key stands in the table of limits. */
export function createKeyRows({ connection }: Database, limits: LimitWriter): KeyRows {
  const insertRow = connection.prepare<[Record<string, unknown>]>(insertSql);
  const findById = connection.prepare<[string], KeyRow>(`${selectKeySql} WHERE k.id = ?`);
  const findCustomerNo = connection
    .prepare<[string], number>('SELECT no FROM customers WHERE id = ?')
    .pluck();

  function insert(
    key: Omit<ImportedKey, 'hash'>,
    customerNo: number,
    hash: Uint8Array | null,
  ): number | undefined {
    const { changes, lastInsertRowid } = insertRow.run({
      ...key,
      hash,
      customerNo,
      foreign: key.foreign ? 1 : 0,
      metadata: JSON.stringify(key.metadata),
      scopes: JSON.stringify(key.scopes),
      ipAllow: JSON.stringify(key.ipAllow),
    });
    if (changes === 0) return undefined;
    if (key.limits) limits.ofKey(key.id, key.limits);
    return Number(lastInsertRowid);
  }

  function find(id: string): ApiKey | undefined {
    const row = findById.get(id);
    return row && toKey(row);
  }

  return {
    find,
    insert,
    add({ hash, ...key }) {
      const customerNo = findCustomerNo.get(key.customerId);
      if (customerNo === undefined) {
        throw new MeterctlError('not_found', `There is no customer ${key.customerId}.`);
      }
      const whole = { ...key, foreign: false, revokedAtMs: null, lastUsedAtMs: null };
      if (insert(whole, customerNo, hash) === undefined) {
        throw new MeterctlError('conflict', `The key ${key.id} or its secret exists already.`);
      }
      const added = find(key.id);
      assert(added);
      return added;
    },
  };
}

/**
 * The row as the rest of the program knows it. Written out, as the engine gives all such objects one shape: one that is spread
 * from what SQLite returns gets a shape of its own, and memory holds a hundred thousand of them.
 */
export function toKey(row: KeyRow): ApiKey {
  return {
    no: row.no,
    id: row.id,
    customerId: row.customerId,
    name: row.name,
    hint: row.hint,
    foreign: row.foreign === 1,
    metadata: JSON.parse(row.metadata),
    scopes: JSON.parse(row.scopes),
    ipAllow: JSON.parse(row.ipAllow),
    createdAtMs: row.createdAtMs,
    expiresAtMs: row.expiresAtMs,
    revokedAtMs: row.revokedAtMs,
    lastUsedAtMs: row.lastUsedAtMs,
  };
}
