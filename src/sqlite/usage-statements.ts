/** The statements that write a row of the ledger and add it to the roll-ups. */

/** One row of the ledger. */
export const insertUsageSql = `
INSERT INTO usage (delivery_no, customer_no, key_no, route_no, at_ms, units) VALUES (?, ?, ?, ?, ?, ?)`;

/** Adds to one day of a customer, key and route. */
export const upsertDaySql = `
INSERT INTO usage_days (day, customer_no, key_no, route_no, units, requests) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET units = units + excluded.units, requests = requests + excluded.requests`;

/** Adds to one billing period of a customer and meter, and tells its units. */
export const upsertPeriodSql = `
INSERT INTO usage_periods (customer_no, meter_no, period_start_ms, units) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET units = units + excluded.units
RETURNING units`;
