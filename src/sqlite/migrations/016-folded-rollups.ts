/** Roll-ups that follow the ledger behind a mark, so that the commit of a paid call writes the ledger alone. */

/**
 * Rows of the ledger after the mark are not yet in `day_sums`, `period_sums` and the units of open deliveries. Whoever asks
 * adds them: `unfolded_usage` are these rows, and under the roll-ups' old names stand both, to be summed up.
 *
 * A process of an earlier version, which still runs, would add to the roll-ups what is added again when the mark moves, and
 * would freeze deliveries whose rows are not all counted. Both fail: nothing can be written into a view, and a delivery that
 * has rows after the mark stays open.
 */
export const foldedRollupsSql = `
CREATE TABLE rollup_mark (one INTEGER PRIMARY KEY CHECK (one = 1), usage_id INTEGER NOT NULL) STRICT;
INSERT INTO rollup_mark (one, usage_id) SELECT 1, COALESCE(max(id), 0) FROM usage;

ALTER TABLE usage_days RENAME TO day_sums;
ALTER TABLE usage_periods RENAME TO period_sums;

CREATE VIEW unfolded_usage AS
SELECT id, delivery_no, customer_no, COALESCE(key_no, 0) AS key_no, route_no, at_ms / 86400000 AS day, units,
  units >= 0 AS requests
FROM usage WHERE id > (SELECT usage_id FROM rollup_mark);

CREATE VIEW usage_days AS
SELECT day, customer_no, key_no, route_no, units, requests FROM day_sums
UNION ALL
SELECT day, customer_no, key_no, route_no, units, requests FROM unfolded_usage;

CREATE VIEW usage_periods AS
SELECT customer_no, meter_no, period_start_ms, units FROM period_sums
UNION ALL
SELECT u.customer_no, d.meter_no, d.period_start_ms, u.units
FROM unfolded_usage u CROSS JOIN deliveries d ON d.no = u.delivery_no;

CREATE TRIGGER deliveries_freeze_whole BEFORE UPDATE OF state ON deliveries
WHEN OLD.state = 'open' AND NEW.state <> 'open' AND EXISTS (SELECT 1 FROM unfolded_usage WHERE delivery_no = OLD.no)
BEGIN SELECT RAISE(ABORT, 'a delivery is frozen with all its rows counted'); END;
`;
