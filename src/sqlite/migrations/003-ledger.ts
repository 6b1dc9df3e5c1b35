/** The ledger, the outbox that is born with it, and the roll-ups that make reports instant. */

/**
 * The ledger is append-only and its rows are lean; what few rows have stands in `usage_notes`.
 *
 * A delivery that is open is found by everything that separates it from others, so that usage never joins a delivery
 * across the edge of a window or a period. The unique index on claimed ones makes "one in flight per customer and
 * meter" a fact of the database. `lanes` holds one row per customer and meter: when something of it is due, NULL while
 * nothing is or while one is in flight. It is derived, by a trigger, and makes claiming independent of how long one
 * customer's queue is.
 *
 * In the roll-ups key 0 stands for usage without a key: a primary key takes no NULL.
 */
export const ledgerSql = `
CREATE TABLE meters (no INTEGER PRIMARY KEY, event_name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE routes (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE deliveries (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  customer_no INTEGER NOT NULL REFERENCES customers (no),
  meter_no INTEGER NOT NULL REFERENCES meters (no),
  window_start_ms INTEGER NOT NULL,
  window_end_ms INTEGER NOT NULL CHECK (window_end_ms BETWEEN window_start_ms + 1 AND window_start_ms + 86400000),
  period_start_ms INTEGER NOT NULL,
  units INTEGER NOT NULL,
  timestamp_ms INTEGER NOT NULL CHECK (timestamp_ms >= window_start_ms AND timestamp_ms < window_end_ms),
  state TEXT NOT NULL CHECK (state IN ('open', 'pending', 'claimed', 'delivered', 'refused', 'uncertain')),
  attempts INTEGER NOT NULL DEFAULT 0,
  key_number INTEGER NOT NULL DEFAULT 1,
  next_attempt_at_ms INTEGER NOT NULL,
  lease_until_ms INTEGER CHECK ((lease_until_ms IS NOT NULL) = (state = 'claimed')),
  unknown_since_ms INTEGER,
  unknown_before_claim_ms INTEGER,
  reason TEXT,
  delivered_at_ms INTEGER CHECK ((delivered_at_ms IS NOT NULL) = (state = 'delivered'))
) STRICT;
CREATE INDEX deliveries_of_customer ON deliveries (customer_no, window_start_ms);
CREATE INDEX deliveries_by_window ON deliveries (window_start_ms);
CREATE INDEX deliveries_undelivered ON deliveries (customer_no, window_start_ms) WHERE state <> 'delivered';
CREATE UNIQUE INDEX deliveries_open ON deliveries
  (customer_no, meter_no, window_start_ms, window_end_ms, period_start_ms) WHERE state = 'open';
CREATE INDEX deliveries_to_freeze ON deliveries (window_end_ms) WHERE state = 'open';
CREATE INDEX deliveries_pending ON deliveries
  (customer_no, meter_no, window_start_ms, next_attempt_at_ms) WHERE state = 'pending';
CREATE INDEX deliveries_due ON deliveries (customer_no, meter_no, next_attempt_at_ms) WHERE state = 'pending';
CREATE INDEX deliveries_frozen ON deliveries (timestamp_ms) WHERE state IN ('pending', 'claimed');
CREATE INDEX deliveries_failed ON deliveries (state) WHERE state IN ('refused', 'uncertain');
CREATE UNIQUE INDEX deliveries_claimed ON deliveries (customer_no, meter_no) WHERE state = 'claimed';

CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries
BEGIN SELECT RAISE(ABORT, 'deliveries are never deleted'); END;

CREATE TRIGGER deliveries_freeze
BEFORE UPDATE OF id, customer_no, meter_no, window_start_ms, window_end_ms, period_start_ms, units, timestamp_ms ON deliveries
WHEN OLD.state <> 'open'
BEGIN SELECT RAISE(ABORT, 'a frozen delivery never changes'); END;

CREATE TABLE lanes (
  customer_no INTEGER NOT NULL,
  meter_no INTEGER NOT NULL,
  due_at_ms INTEGER,
  PRIMARY KEY (customer_no, meter_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_due ON lanes (due_at_ms) WHERE due_at_ms IS NOT NULL;

CREATE TRIGGER deliveries_lane AFTER UPDATE OF state, next_attempt_at_ms ON deliveries
BEGIN
  INSERT INTO lanes (customer_no, meter_no, due_at_ms)
  VALUES (
    NEW.customer_no,
    NEW.meter_no,
    CASE WHEN NOT EXISTS (
      SELECT 1 FROM deliveries
      WHERE state = 'claimed' AND customer_no = NEW.customer_no AND meter_no = NEW.meter_no
    ) THEN (
      SELECT min(next_attempt_at_ms) FROM deliveries
      WHERE state = 'pending' AND customer_no = NEW.customer_no AND meter_no = NEW.meter_no
    ) END
  )
  ON CONFLICT (customer_no, meter_no) DO UPDATE SET due_at_ms = excluded.due_at_ms;
END;

CREATE TABLE usage (
  id INTEGER PRIMARY KEY,
  delivery_no INTEGER NOT NULL REFERENCES deliveries (no),
  customer_no INTEGER NOT NULL REFERENCES customers (no),
  key_no INTEGER REFERENCES keys (no),
  route_no INTEGER NOT NULL REFERENCES routes (no),
  at_ms INTEGER NOT NULL,
  units INTEGER NOT NULL
) STRICT;
CREATE INDEX usage_of_delivery ON usage (delivery_no);

CREATE TRIGGER usage_never_changes BEFORE UPDATE ON usage
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER usage_stays BEFORE DELETE ON usage
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TABLE usage_notes (
  usage_id INTEGER PRIMARY KEY REFERENCES usage (id),
  customer_no INTEGER NOT NULL,
  idempotency_key TEXT,
  recorded_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX usage_notes_key ON usage_notes (customer_no, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE usage_days (
  day INTEGER NOT NULL,
  customer_no INTEGER NOT NULL,
  key_no INTEGER NOT NULL,
  route_no INTEGER NOT NULL,
  units INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  PRIMARY KEY (day, customer_no, key_no, route_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_periods (
  customer_no INTEGER NOT NULL,
  meter_no INTEGER NOT NULL,
  period_start_ms INTEGER NOT NULL,
  units INTEGER NOT NULL,
  PRIMARY KEY (customer_no, meter_no, period_start_ms)
) STRICT, WITHOUT ROWID;
`;
