/** What calls ask of keys, in SQLite: whose a secret is, whether anything has changed, and a note of the use. */

import assert from 'node:assert';
import type { KeyStore } from '../domain/key-store.js';
import type { CustomerReader } from './customers.js';
import { type KeyRow, selectKeySql, toKey } from './key-rows.js';
import type { Database } from './open.js';

const recordUseSql = `
UPDATE keys SET last_used_at_ms = :atMs
WHERE no = :keyNo AND (last_used_at_ms IS NULL OR last_used_at_ms < :atMs)`;

/** The part of the contract that calls need. */
export function createKeyCalls(
  database: Database,
  customers: CustomerReader,
): Pick<KeyStore, 'findKeyByHash' | 'recordKeyUses' | 'accessRevision'> {
  const { connection, read, write } = database;
  const findByHash = connection.prepare<[Uint8Array], KeyRow>(`${selectKeySql} WHERE k.hash = ?`);
  const recordUse = connection.prepare<[{ keyNo: number; atMs: number }]>(recordUseSql);
  const readRevision = createRevision(database);
  return {
    async findKeyByHash(hash) {
      return read(() => {
        const row = findByHash.get(hash);
        const customer = row && customers.findByNo(row.customerNo);
        return customer && { key: toKey(row), customer };
      });
    },
    async recordKeyUses(uses) {
      await write(() => {
        for (const use of uses) recordUse.run(use);
      });
    },
    async accessRevision() {
      return readRevision();
    },
  };
}

/** Looks at the table only when anything was written since: `data_version` tells of others, `total_changes` of ourselves. */
function createRevision({ connection, read }: Database): () => number {
  const revision = connection.prepare<[], number>('SELECT revision FROM access_revision').pluck();
  const ownChanges = connection.prepare<[], number>('SELECT total_changes()').pluck();
  let known: { writes: string; revision: number } | undefined;
  return () =>
    read(() => {
      const writes = `${connection.pragma('data_version', { simple: true })} ${ownChanges.get()}`;
      if (known?.writes === writes) return known.revision;
      const latest = revision.get();
      assert(latest !== undefined);
      known = { writes, revision: latest };
      return latest;
    });
}
