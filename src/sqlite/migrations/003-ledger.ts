/** The ledger, the outbox that is born with it, and the roll-ups that make reports instant. */

/** Notes when the lane of a delivery has something due. */
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
  ON CONFLICT (customer_no, meter_no) DO UPDATE SET due_at_ms = excluded.due_at_ms;
END;`;

/**
 * The ledger is append-only and its rows are lean; what few rows have stands in `usage_notes`.
 *
 * A delivery that is open is found by everything that separates it from others, so that usage never joins a delivery
 * across the edge of a window or a period. The unique index on claimed ones makes "one in flight per customer and
 * meter" a fact of the database. `lanes` holds one row per customer and meter: when something of it is due, NULL while
 * nothing is or while one is in flight. It is derived, by a trigger, and makes claiming independent of how long one
 * customer's queue is.
 *
 * A correction (a delivery that takes back units of another) waits until Stripe has what it corrects, and is refused with
 * it: what takes back usage that never arrived would be taken off other usage. Whatever Stripe surely does not have may
 * still change its units; all else that Stripe sees of a delivery is frozen with it.
 *
 * `open_calls` holds what is being answered while its units are not known: a row goes when its usage comes.
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
  corrects_no INTEGER REFERENCES deliveries (no),
  cancels INTEGER NOT NULL DEFAULT 0 CHECK (cancels = 0 OR (cancels = 1 AND corrects_no IS NOT NULL)),
  attempts INTEGER NOT NULL DEFAULT 0,
  identifier_number INTEGER NOT NULL DEFAULT 1,
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
CREATE INDEX deliveries_frozen ON deliveries (timestamp_ms)
  WHERE state IN ('pending', 'claimed') AND corrects_no IS NULL;
CREATE INDEX deliveries_corrections ON deliveries (corrects_no) WHERE corrects_no IS NOT NULL;
CREATE UNIQUE INDEX deliveries_cancellations ON deliveries (corrects_no) WHERE cancels = 1;
CREATE INDEX deliveries_failed ON deliveries (state) WHERE state IN ('refused', 'uncertain');
CREATE UNIQUE INDEX deliveries_claimed ON deliveries (customer_no, meter_no) WHERE state = 'claimed';

CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries
BEGIN SELECT RAISE(ABORT, 'deliveries are never deleted'); END;

CREATE TRIGGER deliveries_freeze
BEFORE UPDATE OF id, customer_no, meter_no, window_start_ms, window_end_ms, period_start_ms, timestamp_ms, corrects_no
ON deliveries WHEN OLD.state <> 'open'
BEGIN SELECT RAISE(ABORT, 'a frozen delivery never changes'); END;

CREATE TRIGGER deliveries_freeze_units BEFORE UPDATE OF units ON deliveries
WHEN OLD.state <> 'open' AND NOT (OLD.state IN ('pending', 'refused') AND OLD.unknown_since_ms IS NULL)
BEGIN SELECT RAISE(ABORT, 'what Stripe may have never changes'); END;

CREATE TRIGGER deliveries_follow AFTER UPDATE OF state ON deliveries
WHEN (NEW.state = 'refused') <> (OLD.state = 'refused')
BEGIN
  UPDATE deliveries SET
    state = 'refused', reason = 'What it takes back was refused.', lease_until_ms = NULL, unknown_since_ms = NULL,
    delivered_at_ms = NULL, identifier_number = identifier_number + cancels,
    key_number = CASE cancels WHEN 1 THEN 1 ELSE key_number END
  WHERE corrects_no = NEW.no AND NEW.state = 'refused' AND state <> 'refused'
    AND (cancels = 1 OR (state = 'pending' AND unknown_since_ms IS NULL));
  UPDATE deliveries SET state = 'pending', reason = NULL
  WHERE corrects_no = NEW.no AND NEW.state <> 'refused' AND state = 'refused';
END;

CREATE TABLE lanes (
  customer_no INTEGER NOT NULL,
  meter_no INTEGER NOT NULL,
  due_at_ms INTEGER,
  PRIMARY KEY (customer_no, meter_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_due ON lanes (due_at_ms) WHERE due_at_ms IS NOT NULL;

CREATE TRIGGER deliveries_lane AFTER UPDATE OF state, next_attempt_at_ms ON deliveries
${laneSql}

CREATE TRIGGER deliveries_lane_of_new AFTER INSERT ON deliveries WHEN NEW.state <> 'open'
${laneSql}

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
  voids_usage_id INTEGER UNIQUE REFERENCES usage (id),
  reason TEXT CHECK ((reason IS NOT NULL) = (voids_usage_id IS NOT NULL)),
  recorded_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX usage_notes_key ON usage_notes (customer_no, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE open_calls (
  id TEXT PRIMARY KEY,
  customer_no INTEGER NOT NULL REFERENCES customers (no),
  key_no INTEGER REFERENCES keys (no),
  meter_no INTEGER NOT NULL REFERENCES meters (no),
  route_no INTEGER NOT NULL REFERENCES routes (no),
  units INTEGER NOT NULL CHECK (units >= 0),
  at_ms INTEGER NOT NULL,
  window_start_ms INTEGER NOT NULL,
  window_end_ms INTEGER NOT NULL,
  period_start_ms INTEGER NOT NULL,
  on_abort TEXT NOT NULL CHECK (on_abort IN ('delivered', 'upstream', 'none')),
  seen_at_ms INTEGER NOT NULL,
  CHECK (at_ms >= window_start_ms AND at_ms < window_end_ms)
) STRICT, WITHOUT ROWID;

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
