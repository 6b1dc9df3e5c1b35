/** Reading many objects: filters as SQL, rows one at a time. */

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

/** Where a scan begins, and which way it goes. */
interface Bounds {
  above?: number;
  below?: number;
  order: 'ASC' | 'DESC';
}

/** Objects in the order asked for, one at a time, so that a page reads no more than it needs. */
type ObjectScan = <Kind extends ObjectKind>(
  kind: Kind,
  filter: ObjectFilter<Kind>,
  bounds: Bounds,
) => Generator<Stored<Kind>>;

type Statement = Sqlite.Statement<unknown[], { json: string }>;

/** Scans of an open file. */
export function createObjectScan({ sql }: Database): ObjectScan {
  const statements = new Map<string, Statement>();

  /** Filters are few, so each statement is prepared once; a scan inside a like scan gets its own. */
  function prepared(text: string): Statement {
    const known = statements.get(text);
    if (known && !known.busy) return known;
    const statement = sql.prepare<unknown[], { json: string }>(text);
    if (!known) statements.set(text, statement);
    return statement;
  }

  return function* scan(kind, filter, bounds) {
    const { text, values } = conditions(filter, bounds);
    const rows = prepared(
      `SELECT json FROM objects WHERE ${['kind = ?', ...text].join(' AND ')} ORDER BY seq ${bounds.order}`,
    );
    for (const row of rows.iterate(kind, ...values)) {
      const object = parseStored<typeof kind>(row.json);
      if (filter.where === undefined || filter.where(object)) yield object;
    }
  };
}

/** A stored document. Written by `put` alone, so it has the type of its kind. */
export function parseStored<Kind extends ObjectKind>(json: string): Stored<Kind> {
  return JSON.parse(json) as Stored<Kind>;
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
