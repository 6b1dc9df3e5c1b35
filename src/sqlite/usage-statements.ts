/** The statements that add rows of the ledger to the roll-ups, and read what more than one place asks for. */

/** Adds to one day of a customer, key and route. */
export const upsertDaySql = `
INSERT INTO usage_days (day, customer_no, key_no, route_no, units, requests) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET units = units + excluded.units, requests = requests + excluded.requests`;

/** Adds to one billing period of a customer and meter, and tells its units. */
export const upsertPeriodSql = `
INSERT INTO usage_periods (customer_no, meter_no, period_start_ms, units) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET units = units + excluded.units
RETURNING units`;

/** The units of one billing period of a customer and meter; no row where there are none. */
export const findPeriodSql = `
SELECT units FROM usage_periods WHERE customer_no = ? AND meter_no = ? AND period_start_ms = ?`;
