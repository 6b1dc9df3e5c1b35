/** Inserts rows of the ledger, many in one statement: each costs half as much as one by one. */

import assert from 'node:assert';
import type { Database as Connection } from 'better-sqlite3';

/** What a row holds, in the order of its columns. */
export type UsageRow = [
  deliveryNo: number,
  customerNo: number,
  keyNo: number | null,
  routeNo: number,
  atMs: number,
  units: number,
];

/** Inserts rows, inside a transaction of the caller's, and tells the first one's id. */
export type RowWriter = (rows: readonly UsageRow[]) => number;

/** Statements for so many rows; what one leaves over is for the next. */
const sizes = [64, 16, 4, 1];

/** Prepares the statements. */
export function createRowWriter(connection: Connection): RowWriter {
  const statements = sizes.map((size) => ({
    size,
    insert: connection.prepare<[UsageRow[number][]]>(insertSql(size)),
  }));

  return (rows) => {
    let lastId = 0;
    for (let at = 0; at < rows.length; ) {
      const fitting = statements.find(({ size }) => size <= rows.length - at);
      assert(fitting, 'one row always fits');
      const values: UsageRow[number][] = [];
      // By hand: `flat` takes longer than SQLite does.
      for (let of = at; of < at + fitting.size; of += 1) values.push(...(rows[of] ?? []));
      lastId = Number(fitting.insert.run(values).lastInsertRowid);
      at += fitting.size;
    }
    // Without AUTOINCREMENT a row gets the largest id plus one (SQLite: rowid tables), and nobody else writes meanwhile.
    return lastId - rows.length + 1;
  };
}

function insertSql(rows: number): string {
  const places = Array.from({ length: rows }, () => '(?, ?, ?, ?, ?, ?)').join(', ');
  return `INSERT INTO usage (delivery_no, customer_no, key_no, route_no, at_ms, units) VALUES ${places}`;
}
