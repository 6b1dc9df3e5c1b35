/** Names that rows refer to by number: meters and routes. */

import assert from 'node:assert';
import type { Database } from './open.js';

/** So many names are remembered; a program that uses more only looks them up again. */
const rememberedMax = 10_000;

/** Numbers for names. */
export interface Names {
  /** The number of the name, if it is remembered. */
  recall(name: string): number | undefined;
  /** The number of the name, which is given one if it has none. Remembers it. */
  intern(name: string): Promise<number>;
  /** The number of the name, if it has one. */
  find(name: string): number | undefined;
}

/** The names in a table with the columns `no` and `column`. */
export function createNames({ connection, read, write }: Database, table: string, column: string): Names {
  const findNo = connection.prepare<[string], number>(`SELECT no FROM ${table} WHERE ${column} = ?`).pluck();
  const add = connection.prepare<[string]>(
    `INSERT INTO ${table} (${column}) VALUES (?) ON CONFLICT DO NOTHING`,
  );
  const remembered = new Map<string, number>();

  function addName(name: string): number {
    add.run(name);
    const no = findNo.get(name);
    assert(no !== undefined);
    return no;
  }

  return {
    find: (name) => findNo.get(name),
    recall: (name) => remembered.get(name),
    async intern(name) {
      const no = read(() => findNo.get(name)) ?? (await write(() => addName(name)));
      if (remembered.size >= rememberedMax) remembered.clear();
      remembered.set(name, no);
      return no;
    },
  };
}
