/** Whose database it is, and small marks, in SQLite. */

import assert from 'node:assert';
import type { Mode } from '../domain/mode.js';
import type { IdentityStore } from '../domain/store.js';
import type { Database } from './open.js';

/** The identity part of the contract. */
export function createIdentity({ connection, read, write }: Database): IdentityStore {
  const bindMode = connection.prepare<[Mode], { mode: Mode }>(
    'UPDATE identity SET mode = COALESCE(mode, ?) RETURNING mode',
  );
  const bindAccount = connection.prepare<[string], { accountId: string }>(
    'UPDATE identity SET account_id = COALESCE(account_id, ?) RETURNING account_id AS accountId',
  );
  const findMark = connection.prepare<[string], { value: string }>('SELECT value FROM marks WHERE name = ?');
  const addMark = connection.prepare<[string, string]>(
    'INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  const removeMark = connection.prepare<[string]>('DELETE FROM marks WHERE name = ?');

  return {
    async bindMode(mode) {
      const row = await write(() => bindMode.get(mode));
      assert(row);
      return row.mode;
    },
    async bindAccount(accountId) {
      const row = await write(() => bindAccount.get(accountId));
      assert(row);
      return row.accountId;
    },
    async findMark(name) {
      return read(() => findMark.get(name)?.value);
    },
    async recordMark(name, value) {
      await write(() => (value === undefined ? removeMark.run(name) : addMark.run(name, value)));
    },
  };
}
