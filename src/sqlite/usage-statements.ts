/** The statements that add rows of the ledger to the roll-ups. */

/** Adds to one day of a customer, key and route. */
export const upsertDaySql = `
INSERT INTO usage_days (day, customer_no, key_no, route_no, units, requests) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET units = units + excluded.units, requests = requests + excluded.requests`;

/** Adds to one billing period of a customer and meter, and tells its units. */
export const upsertPeriodSql = `
INSERT INTO usage_periods (customer_no, meter_no, period_start_ms, units) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET units = units + excluded.units
RETURNING units`;
