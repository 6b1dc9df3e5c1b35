/** The units of whole days, by customer, key and route: where they are read from, in SQL. */

/**
 * The days from `:firstDay` on and before `:endDay`, cut to those that have roll-ups: a table that is recursive. The roll-up's
 * primary key begins with the day, so whoever joins it with these looks one customer up once a day.
 */
export const daysSpanSql = `
days (day) AS (
  SELECT day FROM (SELECT max(CAST(:firstDay AS INTEGER), (SELECT min(day) FROM day_sums)) AS day)
  WHERE day < :endDay
  UNION ALL
  SELECT day + 1 FROM days WHERE day + 1 < :endDay AND day < (SELECT max(day) FROM day_sums)
)`;

/**
 * Both places that hold units of these days, each to be followed by conditions on `r`: the roll-up, and what is not folded in
 * yet. One after the other, as SQLite would read a view of both as a whole.
 */
export const dayUnitsSql = [
  'FROM days CROSS JOIN day_sums r ON r.day = days.day WHERE true',
  'FROM unfolded_usage r WHERE r.day >= :firstDay AND r.day < :endDay',
] as const;
