/** API keys, in SQLite: each change together with its entry in the audit log. */

import assert from 'node:assert';
import type { Act, Actor, AuditAction } from '../domain/audit.js';
import { type ApiKey, type KeyChange, type KeyTerms, keyStatus, type NewApiKey } from '../domain/key.js';
import type { KeyStore } from '../domain/key-store.js';
import type { AuditWriter } from './audit.js';
import type { CustomerReader } from './customers.js';
import { createKeyList } from './key-list.js';
import { type KeyRow, type KeyRows, selectKeySql, toKey } from './key-rows.js';
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
  const findById = connection.prepare<[string], KeyRow>(`${selectKeySql} WHERE k.id = ?`);
  const findByHash = connection.prepare<[Uint8Array], KeyRow>(`${selectKeySql} WHERE k.hash = ?`);
  const change = connection.prepare<[Record<string, unknown>]>(changeSql);
  const recordUse = connection.prepare<[{ keyNo: number; atMs: number }]>(
    `UPDATE keys SET last_used_at_ms = :atMs
     WHERE no = :keyNo AND (last_used_at_ms IS NULL OR last_used_at_ms < :atMs)`,
  );
  const revision = createRevision(database);

  function find(id: string): ApiKey | undefined {
    const row = findById.get(id);
    return row && toKey(row);
  }

  function add(key: NewApiKey, actor: Actor): ApiKey {
    const added = rows.add(key);
    note(
      audit,
      added,
      'key.created',
      { actor, atMs: added.createdAtMs },
      { ...termsOf(added), limits: key.limits },
    );
    return added;
  }

  return {
    keys: { add },
    ...createEndings(database, audit, find, (key) => rows.add(key)),
    async addKey(key, actor) {
      return write(() => add(key, actor));
    },
    async addKeys(keys, actor) {
      return write(() => keys.map((key) => add(key, actor)));
    },
    async findKeyByHash(hash) {
      return read(() => {
        const row = findByHash.get(hash);
        const customer = row && customers.findByNo(row.customerNo);
        return customer && { key: toKey(row), customer };
      });
    },
    async findKey(id) {
      return read(() => find(id));
    },
    listKeys: createKeyList(database),
    async changeKey(id, changes, act) {
      return write(() => {
        if (change.run(changeRow(id, changes)).changes === 0) return undefined;
        const key = find(id);
        assert(key);
        note(audit, key, 'key.changed', act, changes);
        return key;
      });
    },
    async recordKeyUses(uses) {
      write(() => {
        for (const use of uses) recordUse.run(use);
      });
    },
    async accessRevision() {
      return revision.read();
    },
  };
}

/** Looks at the table only when anything was written since: `data_version` tells of others, `total_changes` of ourselves. */
function createRevision({ connection, read }: Database): { read(): number } {
  const revision = connection.prepare<[], number>('SELECT revision FROM access_revision').pluck();
  const ownChanges = connection.prepare<[], number>('SELECT total_changes()').pluck();
  let known: { writes: string; revision: number } | undefined;
  return {
    read: () =>
      read(() => {
        const writes = `${connection.pragma('data_version', { simple: true })} ${ownChanges.get()}`;
        if (known?.writes === writes) return known.revision;
        const latest = revision.get();
        assert(latest !== undefined);
        known = { writes, revision: latest };
        return latest;
      }),
  };
}

/** How keys end: at once, all of a customer, or after the grace of a rotation. */
function createEndings(
  { connection, write }: Database,
  audit: AuditWriter,
  find: (id: string) => ApiKey | undefined,
  add: (key: NewApiKey) => ApiKey,
): Pick<KeyStore, 'rotateKey' | 'revokeKey' | 'revokeKeysOf'> {
  const end = connection.prepare<[number, number]>('UPDATE keys SET revoked_at_ms = ? WHERE no = ?');
  const findCustomer = connection.prepare<[string], { no: number }>('SELECT no FROM customers WHERE id = ?');
  const listOfCustomer = connection.prepare<[{ no: number; nowMs: number }], KeyRow>(
    `${selectKeySql} WHERE k.customer_no = :no AND (k.revoked_at_ms IS NULL OR k.revoked_at_ms > :nowMs)`,
  );

  function revoke(key: ApiKey, act: Act): ApiKey {
    end.run(act.atMs, key.no);
    note(audit, key, 'key.revoked', act, {});
    return { ...key, revokedAtMs: act.atMs };
  }

  return {
    async revokeKey(id, act) {
      return write(() => {
        const key = find(id);
        if (!key) return undefined;
        if (key.revokedAtMs !== null && key.revokedAtMs <= act.atMs) return 'already';
        revoke(key, act);
        return 'revoked';
      });
    },
    async revokeKeysOf(customerId, act) {
      return write(() => {
        const customer = findCustomer.get(customerId);
        if (!customer) return undefined;
        const living = listOfCustomer.all({ no: customer.no, nowMs: act.atMs });
        return living.map((row) => revoke(toKey(row), act));
      });
    },
    async rotateKey(id, successor, { endsAtMs, actor }) {
      return write(() => {
        const old = find(id);
        if (!old) return undefined;
        const act = { actor, atMs: successor.createdAtMs };
        if (old.revokedAtMs !== null || keyStatus(old, act.atMs) !== 'active') return 'ended';
        assert.equal(successor.customerId, old.customerId, 'a key is followed by one of the same customer');
        const revokedAtMs = Math.min(endsAtMs, old.expiresAtMs ?? endsAtMs);
        end.run(revokedAtMs, old.no);
        const key = add(successor);
        note(audit, old, 'key.rotated', act, { successor: key.id, ends_at_ms: revokedAtMs });
        note(audit, key, 'key.created', act, { ...termsOf(key), limits: successor.limits, follows: old.id });
        return { old: { ...old, revokedAtMs }, key };
      });
    },
  };
}

function note(audit: AuditWriter, key: ApiKey, action: AuditAction, act: Act, details: object): void {
  const { actor, atMs } = act;
  audit.record({ actor, atMs, action, subject: key.id, customerId: key.customerId, details: { ...details } });
}

/** What the audit log tells of a key. */
export function termsOf({ name, metadata, scopes, ipAllow, expiresAtMs }: KeyTerms): KeyTerms {
  return { name, metadata, scopes, ipAllow, expiresAtMs };
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
