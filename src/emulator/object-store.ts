/** Stripe's objects as JSON documents in one table, typed by their kind. */

import assert from 'node:assert';
import type { Database } from './database.js';
import type { ObjectKind, Stored } from './object-kinds.js';
import { createObjectScan, type ObjectFilter, parseStored } from './object-scan.js';

/** Which part of a list is wanted. Cursors are ids of objects of the same kind, which must exist. */
export interface Page {
  limit: number;
  startingAfter?: string | undefined;
  endingBefore?: string | undefined;
}

/** One page of a list, newest object first. */
interface ObjectPage<Kind extends ObjectKind> {
  data: Stored<Kind>[];
  hasMore: boolean;
}

/** When an object of a kind falls due by itself, seconds; undefined when nothing about it waits for its time. */
export type DueTime = <Kind extends ObjectKind>(kind: Kind, object: Stored<Kind>) => number | undefined;

/** An object that has fallen due, or will. */
export interface DueObject {
  kind: ObjectKind;
  id: string;
  atSec: number;
}

/** All objects of one account. Every method is one statement; put several into `database.write`. */
export interface ObjectStore {
  /** The object, or undefined. */
  get<Kind extends ObjectKind>(kind: Kind, id: string): Stored<Kind> | undefined;
  /** Writes an object; one with the same id is replaced and keeps its place in lists. */
  put<Kind extends ObjectKind>(kind: Kind, object: Stored<Kind>): Stored<Kind>;
  /** Removes an object. True when there was one. */
  remove(kind: ObjectKind, id: string): boolean;
  /** A page, newest first. A cursor that names no object is an assertion: check it first (see pagination.ts). */
  list<Kind extends ObjectKind>(kind: Kind, filter: ObjectFilter<Kind>, page: Page): ObjectPage<Kind>;
  /** All objects that pass, oldest first: for work on an account, not for answers. */
  all<Kind extends ObjectKind>(kind: Kind, filter?: ObjectFilter<Kind>): Stored<Kind>[];
  /** What falls due first until a time, of the objects on a test clock or (`null`) on none. */
  nextDue(untilSec: number, testClock: string | null): DueObject | undefined;
}

const selectOne = 'SELECT json FROM objects WHERE kind = ? AND id = ?';
const selectSeq = 'SELECT seq FROM objects WHERE kind = ? AND id = ?';
const upsert = `INSERT INTO objects (kind, id, created, json, due) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json, due = excluded.due`;
const selectDue = `SELECT kind, id, due AS atSec FROM objects
  WHERE due <= ? AND json ->> '$.test_clock' IS ? ORDER BY due, seq LIMIT 1`;
const deleteOne = 'DELETE FROM objects WHERE kind = ? AND id = ?';

/**
 * The store over an open file. `nowSec` dates objects that carry no numeric `created` of their own; `dueTime` is asked at every
 * write, so that what falls due is found by an index.
 */
export function createObjectStore(database: Database, nowSec: () => number, dueTime: DueTime): ObjectStore {
  const { sql } = database;
  const one = sql.prepare<[string, string], { json: string }>(selectOne);
  const place = sql.prepare<[string, string], { seq: number }>(selectSeq);
  const write = sql.prepare<[string, string, number, string, number | null]>(upsert);
  const due = sql.prepare<[number, string | null], DueObject>(selectDue);
  const erase = sql.prepare<[string, string]>(deleteOne);
  const scan = createObjectScan(database);

  function seqOf(kind: ObjectKind, id: string): number {
    const row = place.get(kind, id);
    assert(row, `the cursor ${id} names no ${kind}`);
    return row.seq;
  }

  return {
    get(kind, id) {
      const row = one.get(kind, id);
      return row && parseStored(row.json);
    },
    put(kind, object) {
      const created = 'created' in object && typeof object.created === 'number' ? object.created : nowSec();
      write.run(kind, object.id, created, JSON.stringify(object), dueTime(kind, object) ?? null);
      return object;
    },
    remove: (kind, id) => erase.run(kind, id).changes > 0,
    list<Kind extends ObjectKind>(kind: Kind, filter: ObjectFilter<Kind>, page: Page) {
      const backwards = page.endingBefore !== undefined;
      const found: Stored<Kind>[] = [];
      const bounds =
        page.endingBefore !== undefined
          ? { above: seqOf(kind, page.endingBefore), order: 'ASC' as const }
          : page.startingAfter !== undefined
            ? { below: seqOf(kind, page.startingAfter), order: 'DESC' as const }
            : { order: 'DESC' as const };
      for (const object of scan(kind, filter, bounds)) {
        found.push(object);
        if (found.length > page.limit) break;
      }
      const data = found.slice(0, page.limit);
      return { data: backwards ? data.reverse() : data, hasMore: found.length > page.limit };
    },
    nextDue: (untilSec, testClock) => due.get(untilSec, testClock),
    all: (kind, filter = {}) => [...scan(kind, filter, { order: 'ASC' })],
  };
}
