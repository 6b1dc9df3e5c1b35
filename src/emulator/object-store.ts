/** Stripe's objects as JSON documents in one table, typed by their kind. */

import assert from 'node:assert';
import type Sqlite from 'better-sqlite3';
import type { Database } from './database.js';
import type { ObjectKind, Stored } from './object-kinds.js';

/** A `created` filter, seconds. */
interface CreatedRange {
  gt?: number | undefined;
  gte?: number | undefined;
  lt?: number | undefined;
  lte?: number | undefined;
}

/** Which objects of a kind are wanted. Everything given must hold. */
export interface ObjectFilter<Kind extends ObjectKind> {
  created?: CreatedRange | undefined;
  /**
   * Fields that must have a value, by their path in the document: `{customer: 'cus_…', 'recurring.meter': 'mtr_…'}`.
   * `undefined` asks for nothing. `customer`, `email` and `lookup_key` have an index.
   */
  fields?: Record<string, string | number | boolean | undefined>;
  /** Anything else, asked of each object that passes the rest. */
  where?: (object: Stored<Kind>) => boolean;
}

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
}

const selectOne = 'SELECT json FROM objects WHERE kind = ? AND id = ?';
const selectSeq = 'SELECT seq FROM objects WHERE kind = ? AND id = ?';
const upsert = `INSERT INTO objects (kind, id, created, json) VALUES (?, ?, ?, ?)
  ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json`;
const deleteOne = 'DELETE FROM objects WHERE kind = ? AND id = ?';

/** The store over an open file. `nowSec` dates objects that carry no numeric `created` of their own. */
export function createObjectStore(database: Database, nowSec: () => number): ObjectStore {
  const { sql } = database;
  const one = sql.prepare<[string, string], { json: string }>(selectOne);
  const place = sql.prepare<[string, string], { seq: number }>(selectSeq);
  const write = sql.prepare<[string, string, number, string]>(upsert);
  const scans = new Map<string, Sqlite.Statement<unknown[], { json: string }>>();
  const erase = sql.prepare<[string, string]>(deleteOne);

  /** The statement of a scan. Filters are few, so each is prepared once; a scan inside a scan gets its own. */
  function prepared(text: string): Sqlite.Statement<unknown[], { json: string }> {
    const known = scans.get(text);
    if (known && !known.busy) return known;
    const statement = sql.prepare<unknown[], { json: string }>(text);
    if (!known) scans.set(text, statement);
    return statement;
  }

  /** Rows in the order asked for, one at a time, so that a page reads no more than it needs. */
  function* scan<Kind extends ObjectKind>(
    kind: Kind,
    filter: ObjectFilter<Kind>,
    bounds: Bounds,
  ): Generator<Stored<Kind>> {
    const { text, values } = conditions(filter, bounds);
    const rows = prepared(
      `SELECT json FROM objects WHERE ${['kind = ?', ...text].join(' AND ')} ORDER BY seq ${bounds.order}`,
    );
    for (const row of rows.iterate(kind, ...values)) {
      const object = parse<Kind>(row.json);
      if (filter.where === undefined || filter.where(object)) yield object;
    }
  }

  function seqOf(kind: ObjectKind, id: string): number {
    const row = place.get(kind, id);
    assert(row, `the cursor ${id} names no ${kind}`);
    return row.seq;
  }

  return {
    get(kind, id) {
      const row = one.get(kind, id);
      return row && parse(row.json);
    },
    put(kind, object) {
      const created = 'created' in object && typeof object.created === 'number' ? object.created : nowSec();
      write.run(kind, object.id, created, JSON.stringify(object));
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
    all: (kind, filter = {}) => [...scan(kind, filter, { order: 'ASC' })],
  };
}

/** Written by `put` alone, so the document has the type of its kind. */
function parse<Kind extends ObjectKind>(json: string): Stored<Kind> {
  return JSON.parse(json) as Stored<Kind>;
}

/** Where a scan begins, and which way it goes. */
interface Bounds {
  above?: number;
  below?: number;
  order: 'ASC' | 'DESC';
}

/** The SQL of a filter. Paths come from our own code and are checked all the same. */
function conditions(
  { created = {}, fields = {} }: Pick<ObjectFilter<ObjectKind>, 'created' | 'fields'>,
  bounds: Bounds,
): { text: string[]; values: (string | number)[] } {
  const compared = [
    ['created > ?', created.gt],
    ['created >= ?', created.gte],
    ['created < ?', created.lt],
    ['created <= ?', created.lte],
    ['seq > ?', bounds.above],
    ['seq < ?', bounds.below],
    ...Object.entries(fields).map(([path, value]) => {
      assert(/^\w+(\.\w+)*$/.test(path), `${path} is no path`);
      return [`json ->> '$.${path}' = ?`, typeof value === 'boolean' ? Number(value) : value] as const;
    }),
  ] as const;
  const given = compared.flatMap(([text, value]) => (value === undefined ? [] : [{ text, value }]));
  return { text: given.map(({ text }) => text), values: given.map(({ value }) => value) };
}
