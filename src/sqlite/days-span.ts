/** The days of a range that may have roll-ups: a table that is recursive in SQL. */

/**
 * The days from `:firstDay` on and before `:endDay`, cut to those that have usage. The roll-up's primary key begins with the
 * day, so whoever joins it with these looks one customer up once a day.
 */
export const daysSpanSql = `
days (day) AS (
  SELECT day FROM (SELECT max(CAST(:firstDay AS INTEGER), (SELECT min(day) FROM usage_days)) AS day)
  WHERE day < :endDay
  UNION ALL
  SELECT day + 1 FROM days WHERE day + 1 < :endDay AND day < (SELECT max(day) FROM usage_days)
)`;
