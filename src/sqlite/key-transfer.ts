/** Keys that come from elsewhere and those that go there, in SQLite. */

import assert from 'node:assert';
import { Buffer } from 'node:buffer';
import type { Act } from '../domain/audit.js';
import {
  type HashedKey,
  type ImportedKey,
  type ImportOutcome,
  type KeyHash,
  lookupSharersMax,
  type PepperedHash,
  type SlowHash,
  type WaitingHash,
} from '../domain/key-hash.js';
import type { KeyTransferStore } from '../domain/key-store.js';
import type { Limits } from '../domain/limit.js';
import type { AuditWriter } from './audit.js';
import { createKeyNotes, termsOf } from './key-audit.js';
import { type KeyRow, type KeyRows, keyColumns, toKey } from './key-rows.js';
import type { Database } from './open.js';
import { keyOfCursor, pageOf } from './page.js';

interface HashedRow extends KeyRow {
  hash: Uint8Array | null;
  kind: WaitingHash['kind'] | null;
  lookup: string | null;
  encoded: string | null;
  limits: string | null;
}

const hashedSql = `
SELECT ${keyColumns}, k.hash, h.kind, h.lookup, h.encoded, l.limits
FROM keys k JOIN customers c ON c.no = k.customer_no
  LEFT JOIN imported_hashes h ON h.key_no = k.no AND h.adopted_at_ms IS NULL
  LEFT JOIN limits l ON l.kind = 'key' AND l.subject = k.id
WHERE k.no > ? ORDER BY k.no LIMIT ?`;

const waitingSql = `
SELECT key_no AS keyNo, kind, encoded FROM imported_hashes INDEXED BY imported_hashes_waiting
WHERE adopted_at_ms IS NULL AND lookup IN (SELECT value FROM json_each(?)) LIMIT ?`;

const countWaitingSql = 'SELECT count(*) FROM imported_hashes WHERE adopted_at_ms IS NULL AND kind = ?';

const adoptSql = `UPDATE imported_hashes SET adopted_at_ms = ? WHERE key_no = ? AND adopted_at_ms IS NULL`;

/** The transfer part of the contract. */
export function createKeyTransfer(database: Database, keys: KeyRows, audit: AuditWriter): KeyTransferStore {
  const { connection, read, write } = database;
  const importOne = createImport(database, keys, audit);
  const listHashed = connection.prepare<[number, number], HashedRow>(hashedSql);
  const hasForeign = connection
    .prepare<[], number>('SELECT EXISTS (SELECT 1 FROM keys WHERE is_foreign = 1)')
    .pluck();
  const findWaiting = connection.prepare<[string, number], WaitingHash>(waitingSql);
  const countWaiting = connection.prepare<[string], number>(countWaitingSql).pluck();
  const adopt = connection.prepare<[number, number]>(adoptSql);
  const setHash = connection.prepare<[Uint8Array, number], { id: string; customerNo: number }>(
    'UPDATE OR IGNORE keys SET hash = ? WHERE no = ? AND hash IS NULL RETURNING id, customer_no AS customerNo',
  );
  const customerIdOf = connection.prepare<[number], string>('SELECT id FROM customers WHERE no = ?').pluck();

  return {
    async importKeys(imported, act) {
      return write(() => imported.map((key) => importOne(key, act)));
    },
    async listHashedKeys(page) {
      const after = keyOfCursor('hashed-keys', 1, page)?.[0] ?? 0;
      const rows = read(() => listHashed.all(after, page.limit + 1));
      return pageOf('hashed-keys', page.limit, rows, (row) => [row.no], toHashedKey);
    },
    async hasForeignKeys() {
      return read(() => hasForeign.get() === 1);
    },
    async countWaitingHashes(kind) {
      return read(() => countWaiting.get(kind)) ?? 0;
    },
    async findWaitingHashes(lookups) {
      return read(() => findWaiting.all(JSON.stringify(lookups), lookupSharersMax * lookups.length));
    },
    async adoptHash(keyNo, sha256, act) {
      await write(() => {
        const key = setHash.get(sha256, keyNo);
        if (!key) return;
        adopt.run(act.atMs, keyNo);
        const customerId = customerIdOf.get(key.customerNo) ?? null;
        audit.record({ ...act, action: 'key.rehashed', subject: key.id, customerId, details: {} });
      });
    },
  };
}

function createImport(
  { connection }: Database,
  keys: KeyRows,
  audit: AuditWriter,
): (key: ImportedKey, act: Act) => ImportOutcome {
  const findNo = (sql: string) => connection.prepare<[string | Uint8Array], number>(sql).pluck();
  const customerNoOf = findNo('SELECT no FROM customers WHERE id = ?');
  const noOfId = findNo('SELECT no FROM keys WHERE id = ?');
  const noOfHash = findNo('SELECT no FROM keys WHERE hash = ?');
  const noOfEncoded = findNo('SELECT key_no FROM imported_hashes WHERE encoded = ?');
  const countSharers = findNo(
    'SELECT count(*) FROM imported_hashes WHERE lookup = ? AND adopted_at_ms IS NULL',
  );
  const note = createKeyNotes(audit);
  const addHash = connection.prepare<[{ no: number } & Omit<SlowHash, 'kind'> & { kind: string }]>(
    'INSERT INTO imported_hashes (key_no, kind, lookup, encoded) VALUES (:no, :kind, :lookup, :encoded)',
  );

  return ({ hash, ...key }, act) => {
    const customerNo = customerNoOf.get(key.customerId);
    if (customerNo === undefined) return 'no_customer';
    const sha256 = hash.kind === 'sha256' ? hash.digest : null;
    const waiting = hash.kind === 'sha256' ? undefined : waitingRow(hash);
    const sameNo = waiting ? noOfEncoded.get(waiting.encoded) : sha256 && noOfHash.get(sha256);
    const namedNo = noOfId.get(key.id);
    if (namedNo !== undefined) return namedNo === sameNo ? 'known' : 'conflict';
    if (typeof sameNo === 'number') return 'known';
    if (waiting && (countSharers.get(waiting.lookup) ?? 0) >= lookupSharersMax) return 'crowded';
    const no = keys.insert(key, customerNo, sha256);
    assert(no !== undefined, 'neither id nor hash is taken');
    if (waiting) addHash.run({ no, ...waiting });
    const details = { ...termsOf(key), limits: key.limits, hash: hash.kind };
    note(key, 'key.imported', act, details);
    return 'imported';
  };
}

/** A keyed digest is found by itself, a slow hash by the first characters of the secret. */
function waitingRow(hash: PepperedHash | SlowHash): Omit<SlowHash, 'kind'> & { kind: WaitingHash['kind'] } {
  if (hash.kind !== 'hmac-sha256') return hash;
  const encoded = Buffer.from(hash.digest).toString('hex');
  return { kind: hash.kind, lookup: encoded, encoded };
}

function toHashedKey({ hash, kind, lookup, encoded, limits, ...row }: HashedRow): HashedKey {
  const parsed: Limits | null = limits === null ? null : JSON.parse(limits);
  return { key: toKey(row), limits: parsed, hash: hashOf(hash, kind, lookup, encoded) };
}

function hashOf(
  hash: Uint8Array | null,
  kind: HashedRow['kind'],
  lookup: string | null,
  encoded: string | null,
): KeyHash {
  if (hash) return { kind: 'sha256', digest: hash };
  assert(kind !== null && lookup !== null && encoded !== null, 'a key has a hash');
  if (kind === 'hmac-sha256') return { kind, digest: Buffer.from(encoded, 'hex') };
  return { kind, lookup, encoded };
}
