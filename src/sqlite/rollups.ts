/** The roll-ups follow the ledger behind a mark: how rows are folded into them, and how the rest is read. */

import assert from 'node:assert';
import type { Database as Connection } from 'better-sqlite3';
import type { Database } from './open.js';

const foldSql = [
  `
INSERT INTO day_sums (day, customer_no, key_no, route_no, units, requests)
SELECT day, customer_no, key_no, route_no, sum(units), sum(requests) FROM unfolded_usage GROUP BY 1, 2, 3, 4
ON CONFLICT DO UPDATE SET units = units + excluded.units, requests = requests + excluded.requests`,
  `
INSERT INTO period_sums (customer_no, meter_no, period_start_ms, units)
SELECT u.customer_no, d.meter_no, d.period_start_ms, sum(u.units)
FROM unfolded_usage u CROSS JOIN deliveries d ON d.no = u.delivery_no GROUP BY 1, 2, 3
ON CONFLICT DO UPDATE SET units = units + excluded.units`,
  // What is taken back of a frozen delivery left its units at once.
  `
UPDATE deliveries SET units = deliveries.units + rows.units
FROM (SELECT delivery_no, sum(units) AS units FROM unfolded_usage GROUP BY delivery_no) rows
WHERE deliveries.no = rows.delivery_no AND deliveries.state = 'open'`,
  // A trigger notes the rows of each delivery up to the mark, in `delivery_rows`.
  `
UPDATE rollup_mark SET usage_id = (SELECT max(id) FROM usage)`,
];

const reachSql = `
SELECT usage_id AS mark, COALESCE((SELECT max(id) FROM usage), 0) AS lastId FROM rollup_mark`;

/** The units of a delivery `d`: those of an open one grow with the ledger, those of any other stand in it. */
export const deliveryUnitsSql = `
(d.units + CASE d.state WHEN 'open' THEN (
  SELECT COALESCE(sum(units), 0) FROM unfolded_usage WHERE delivery_no = d.no
) ELSE 0 END)`;

/** The rows `u` of deliveries `d` that are folded in, to be joined; those that are not are read from `unfolded_usage`. */
export const foldedRowsSql =
  'delivery_rows r CROSS JOIN usage u ON u.id = r.usage_id AND r.delivery_no = d.no';

/** Of one database, inside a transaction of the caller's. */
export interface Rollups {
  /** From then on the roll-ups, and the units of open deliveries, are exact until the next row. Returns the last one. */
  fold(): number;
  /** How often this process has folded rows in, also in transactions that were taken back. */
  folds(): number;
}

interface Reach {
  lastId: number;
  mark: number;
}

/** Prepares the statements. */
export function createRollups(connection: Connection): Rollups {
  const statements = foldSql.map((sql) => connection.prepare<[]>(sql));
  const findReach = connection.prepare<[], Reach>(reachSql);
  let folds = 0;
  return {
    fold() {
      folds += 1;
      const reach = findReach.get();
      assert(reach);
      if (reach.lastId > reach.mark) for (const statement of statements) statement.run();
      return reach.lastId;
    },
    folds: () => folds,
  };
}

/**
 * Empties the roll-ups and folds the whole ledger in again, in one transaction: the ledger alone is the truth. Takes about
 * a second a million rows.
 */
export async function rebuildRollups({ connection, write }: Database): Promise<void> {
  const { fold } = createRollups(connection);
  await write(() => {
    connection.exec(`
      DELETE FROM day_sums;
      DELETE FROM period_sums;
      UPDATE deliveries SET units = 0 WHERE state = 'open';
      DELETE FROM delivery_rows;
      UPDATE rollup_mark SET usage_id = 0;
    `);
    fold();
  });
}
