/** Customers whose usage Stripe must have soon go ahead of every backlog. */

/** Notes when the lane of a delivery has something due; a lane with nothing left to send hurries no more. */
const laneSql = `BEGIN
  INSERT INTO lanes (customer_no, meter_no, due_at_ms)
  VALUES (
    NEW.customer_no,
    NEW.meter_no,
    CASE WHEN NOT EXISTS (
      SELECT 1 FROM deliveries
      WHERE state = 'claimed' AND customer_no = NEW.customer_no AND meter_no = NEW.meter_no
    ) THEN (
      SELECT min(next_attempt_at_ms) FROM deliveries d
      WHERE state = 'pending' AND customer_no = NEW.customer_no AND meter_no = NEW.meter_no
        AND (corrects_no IS NULL OR unknown_since_ms IS NOT NULL
          OR EXISTS (SELECT 1 FROM deliveries o WHERE o.no = d.corrects_no AND o.state = 'delivered'))
    ) END
  )
  ON CONFLICT (customer_no, meter_no) DO UPDATE SET
    due_at_ms = excluded.due_at_ms,
    hurried = CASE WHEN excluded.due_at_ms IS NULL AND NEW.state <> 'claimed' THEN 0 ELSE hurried END;
END;`;

/** The lanes' triggers are those of the ledger's migration, with `hurried` beside what is due. */
export const hurriedLanesSql = `
ALTER TABLE lanes ADD COLUMN hurried INTEGER NOT NULL DEFAULT 0 CHECK (hurried IN (0, 1));

DROP INDEX lanes_due;
CREATE INDEX lanes_due ON lanes (hurried, due_at_ms) WHERE due_at_ms IS NOT NULL;

DROP TRIGGER deliveries_lane;
CREATE TRIGGER deliveries_lane AFTER UPDATE OF state, next_attempt_at_ms ON deliveries
${laneSql}

DROP TRIGGER deliveries_lane_of_new;
CREATE TRIGGER deliveries_lane_of_new AFTER INSERT ON deliveries WHEN NEW.state <> 'open'
${laneSql}
`;
