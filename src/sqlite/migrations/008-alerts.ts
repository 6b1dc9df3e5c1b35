/** Alerts, and their way out. */

/**
 * What makes an alert one is unique, so that a threshold is told once, however often and by however many processes it is
 * noticed. A limit that is set to something else may be reached again.
 */
export const alertsSql = `
CREATE TABLE alerts (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  customer_no INTEGER NOT NULL REFERENCES customers (no),
  meter TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('quota', 'spend_cap', 'prepaid_units')),
  threshold INTEGER NOT NULL,
  used INTEGER NOT NULL,
  allowed INTEGER NOT NULL,
  window_start_ms INTEGER NOT NULL,
  window_end_ms INTEGER,
  raised_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX alerts_once ON alerts
  (customer_no, meter, kind, window_start_ms, COALESCE(window_end_ms, 0), allowed, threshold);

CREATE TABLE alert_sends (
  alert_no INTEGER NOT NULL REFERENCES alerts (no),
  sink TEXT NOT NULL CHECK (sink IN ('webhook', 'command')),
  state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at_ms INTEGER NOT NULL,
  reason TEXT,
  PRIMARY KEY (alert_no, sink)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_sends_due ON alert_sends (next_attempt_at_ms) WHERE state = 'pending';
`;
