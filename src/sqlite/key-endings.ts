/** How keys end, in SQLite: at once, all of a customer, or after the grace of a rotation. */

import assert from 'node:assert';
import type { Act } from '../domain/audit.js';
import { type ApiKey, keyStatus } from '../domain/key.js';
import type { KeyStore } from '../domain/key-store.js';
import { type NoteKey, termsOf } from './key-audit.js';
import { type KeyRow, type KeyRows, selectKeySql, toKey } from './key-rows.js';
import type { Database } from './open.js';

/** The endings of the key part of the contract. */
export function createKeyEndings(
  { connection, write }: Database,
  rows: KeyRows,
  note: NoteKey,
): Pick<KeyStore, 'rotateKey' | 'revokeKey' | 'revokeKeysOf'> {
  const end = connection.prepare<[number, number]>('UPDATE keys SET revoked_at_ms = ? WHERE no = ?');
  const findCustomer = connection.prepare<[string], { no: number }>('SELECT no FROM customers WHERE id = ?');
  const listOfCustomer = connection.prepare<[{ no: number; nowMs: number }], KeyRow>(
    `${selectKeySql} WHERE k.customer_no = :no AND (k.revoked_at_ms IS NULL OR k.revoked_at_ms > :nowMs)`,
  );

  function revoke(key: ApiKey, act: Act): ApiKey {
    end.run(act.atMs, key.no);
    note(key, 'key.revoked', act);
    return { ...key, revokedAtMs: act.atMs };
  }

  return {
    async revokeKey(id, act) {
      return write(() => {
        const key = rows.find(id);
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
        const old = rows.find(id);
        if (!old) return undefined;
        const act = { actor, atMs: successor.createdAtMs };
        if (old.revokedAtMs !== null || keyStatus(old, act.atMs) !== 'active') return 'ended';
        assert.equal(successor.customerId, old.customerId, 'a key is followed by one of the same customer');
        const revokedAtMs = Math.min(endsAtMs, old.expiresAtMs ?? endsAtMs);
        end.run(revokedAtMs, old.no);
        const key = rows.add(successor);
        note(old, 'key.rotated', act, { successor: key.id, ends_at_ms: revokedAtMs });
        note(key, 'key.created', act, { ...termsOf(key), limits: successor.limits, follows: old.id });
        return { old: { ...old, revokedAtMs }, key };
      });
    },
  };
}
