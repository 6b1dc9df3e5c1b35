/** API keys, in SQLite: each change together with its entry in the audit log. */

import assert from 'node:assert';
import type { Actor } from '../domain/audit.js';
import type { ApiKey, KeyChange, NewApiKey } from '../domain/key.js';
import type { KeyStore } from '../domain/key-store.js';
import type { AuditWriter } from './audit.js';
import type { CustomerReader } from './customers.js';
import { createKeyNotes, termsOf } from './key-audit.js';
import { createKeyCalls } from './key-calls.js';
import { createKeyEndings } from './key-endings.js';
import { createKeyList } from './key-list.js';
import type { KeyRows } from './key-rows.js';
import type { Database } from './open.js';

/** What is null stays as it is, but for `name` and the end, which may become null. `json_patch` is RFC 7396. */
const changeSql = `
UPDATE keys SET
  name = CASE WHEN :setsName THEN :name ELSE name END,
  metadata = json_patch(metadata, COALESCE(:metadata, '{}')),
  scopes = COALESCE(:scopes, scopes),
  ip_allow = COALESCE(:ipAllow, ip_allow),
  expires_at_ms = CASE WHEN :setsEnd THEN :expiresAtMs ELSE expires_at_ms END
WHERE id = :id`;

/** Adds keys for other nouns, inside a transaction of theirs. */
export interface KeyWriter {
  /** Throws `not_found` without the customer, `conflict` when the id or the secret is there already. */
  add(key: NewApiKey, actor: Actor): ApiKey;
}

/** The key part of the contract, and the writer that other nouns use. */
export function createKeys(
  database: Database,
  customers: CustomerReader,
  rows: KeyRows,
  audit: AuditWriter,
): KeyStore & { keys: KeyWriter } {
  const { connection, read, write } = database;
  const change = connection.prepare<[Record<string, unknown>]>(changeSql);
  const note = createKeyNotes(audit);

  function add(key: NewApiKey, actor: Actor): ApiKey {
    const added = rows.add(key);
    const details = { ...termsOf(added), limits: key.limits };
    note(added, 'key.created', { actor, atMs: added.createdAtMs }, details);
    return added;
  }

  return {
    keys: { add },
    ...createKeyCalls(database, customers),
    ...createKeyEndings(database, rows, note),
    async addKey(key, actor) {
      return write(() => add(key, actor));
    },
    async addKeys(keys, actor) {
      return write(() => keys.map((key) => add(key, actor)));
    },
    async findKey(id) {
      return read(() => rows.find(id));
    },
    listKeys: createKeyList(database),
    async changeKey(id, changes, act) {
      return write(() => {
        if (change.run(changeRow(id, changes)).changes === 0) return undefined;
        const key = rows.find(id);
        assert(key);
        note(key, 'key.changed', act, changes);
        return key;
      });
    },
  };
}

function changeRow(id: string, { name, metadata, scopes, ipAllow, expiresAtMs }: KeyChange) {
  return {
    id,
    setsName: name === undefined ? 0 : 1,
    name: name ?? null,
    metadata: metadata ? JSON.stringify(metadata) : null,
    scopes: scopes ? JSON.stringify(scopes) : null,
    ipAllow: ipAllow ? JSON.stringify(ipAllow) : null,
    setsEnd: expiresAtMs === undefined ? 0 : 1,
    expiresAtMs: expiresAtMs ?? null,
  };
}
