/** The schema of the emulator's file, as numbered steps that are only ever added to. */

/** One step an entry; entry 0 leads to schema 1. */
export const migrations: readonly string[] = [
  `
  -- What an account has one of: its id, the clock's offset, the faults that are on.
  CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;

  -- Stripe's objects as JSON documents. seq is the order of creation, which is the order of lists.
  CREATE TABLE objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    created INTEGER NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (kind, id)
  ) STRICT;
  CREATE INDEX objects_by_kind ON objects (kind, seq);
  CREATE INDEX objects_by_customer ON objects (kind, json ->> '$.customer', seq);
  CREATE INDEX objects_by_email ON objects (kind, json ->> '$.email', seq);
  CREATE INDEX objects_by_lookup_key ON objects (kind, json ->> '$.lookup_key', seq);

  -- Answers that are replayed to a repeated Idempotency-Key. status is NULL while the first call runs.
  CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    created INTEGER NOT NULL,
    lease_until_ms INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER,
    headers TEXT,
    body TEXT
  ) STRICT;
  CREATE INDEX idempotency_keys_by_created ON idempotency_keys (created);

  -- Meter events as received. value and customer are NULL when the event turned out to be wrong after its 200.
  CREATE TABLE meter_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    identifier TEXT NOT NULL,
    event_name TEXT NOT NULL,
    meter TEXT,
    customer TEXT,
    value TEXT,
    timestamp INTEGER NOT NULL,
    received INTEGER NOT NULL,
    payload TEXT NOT NULL,
    request_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('accepted', 'refused', 'reported', 'cancelled')),
    error_code TEXT,
    error_message TEXT
  ) STRICT;
  CREATE INDEX meter_events_by_identifier ON meter_events (identifier, received);
  CREATE INDEX meter_events_by_usage ON meter_events (meter, customer, timestamp) WHERE state = 'accepted';
  CREATE INDEX meter_events_by_refusal ON meter_events (received) WHERE state = 'refused';

  -- One row for each event and each place it goes to. Times of the sender are real, not the emulator's.
  CREATE TABLE webhook_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_kind TEXT NOT NULL CHECK (event_kind IN ('event', 'thin_event')),
    event_id TEXT NOT NULL,
    destination TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    held_back INTEGER NOT NULL DEFAULT 0,
    next_attempt_ms INTEGER NOT NULL,
    lease_until_ms INTEGER NOT NULL DEFAULT 0,
    last_answer TEXT
  ) STRICT;
  CREATE INDEX webhook_deliveries_due ON webhook_deliveries (destination, next_attempt_ms) WHERE state = 'pending';
  CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id);
  `,
  `
  -- When an object falls due by itself, in seconds; NULL for most. What was stored before this column is looked at once.
  ALTER TABLE objects ADD COLUMN due INTEGER;
  UPDATE objects SET due = 0 WHERE kind IN ('subscription', 'invoice', 'checkout_session');
  CREATE INDEX objects_by_due ON objects (due, seq) WHERE due IS NOT NULL;
  `,
];
