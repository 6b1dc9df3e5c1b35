/** Who may call: customers, their subscriptions, their keys, and the revision that tells other processes of a change. */

/**
 * The triggers bump the revision on whatever decides about access, by whichever statement it is written, and only when a
 * value really changed: a periodic reading of an unchanged subscription must not empty every process's cache.
 *
 * A key from elsewhere may have another hash than SHA-256, or none yet: that stands in `imported_hashes` until the key is used
 * first, and stays there afterwards so that a second import knows the key again. Giving it its SHA-256 changes nothing for
 * those who have it in memory.
 */
export const accessSql = `
CREATE TABLE customers (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  email TEXT,
  name TEXT,
  created_at_ms INTEGER NOT NULL,
  suspended_at_ms INTEGER,
  deleted_at_ms INTEGER,
  readings INTEGER NOT NULL
) STRICT;

CREATE TABLE subscriptions (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  customer_no INTEGER NOT NULL REFERENCES customers (no),
  status TEXT NOT NULL,
  price_id TEXT NOT NULL,
  item_id TEXT NOT NULL,
  period_start_ms INTEGER NOT NULL,
  period_end_ms INTEGER NOT NULL CHECK (period_end_ms > period_start_ms),
  interval TEXT NOT NULL CHECK (interval IN ('day', 'week', 'month', 'year')),
  interval_count INTEGER NOT NULL CHECK (interval_count > 0),
  anchor_ms INTEGER NOT NULL,
  cancel_at_ms INTEGER,
  cancel_at_period_end INTEGER NOT NULL CHECK (cancel_at_period_end IN (0, 1)),
  ended_at_ms INTEGER,
  past_due_since_ms INTEGER,
  created_at_ms INTEGER NOT NULL,
  read_at_ms INTEGER NOT NULL,
  closing_at_ms INTEGER
) STRICT;
CREATE INDEX subscriptions_of_customer ON subscriptions (customer_no);

CREATE TABLE keys (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  hash BLOB UNIQUE CHECK (hash IS NULL OR length(hash) = 32),
  customer_no INTEGER NOT NULL REFERENCES customers (no),
  name TEXT,
  hint TEXT NOT NULL,
  is_foreign INTEGER NOT NULL CHECK (is_foreign IN (0, 1)),
  metadata TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
  scopes TEXT NOT NULL CHECK (json_type(scopes) = 'array'),
  ip_allow TEXT NOT NULL CHECK (json_type(ip_allow) = 'array'),
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  revoked_at_ms INTEGER,
  last_used_at_ms INTEGER
) STRICT;
CREATE INDEX keys_of_customer ON keys (customer_no);
CREATE INDEX keys_foreign ON keys (no) WHERE is_foreign = 1;

CREATE TABLE imported_hashes (
  key_no INTEGER PRIMARY KEY REFERENCES keys (no),
  kind TEXT NOT NULL CHECK (kind IN ('hmac-sha256', 'bcrypt', 'argon2')),
  lookup TEXT NOT NULL,
  encoded TEXT NOT NULL UNIQUE,
  adopted_at_ms INTEGER
) STRICT;
CREATE INDEX imported_hashes_waiting ON imported_hashes (lookup) WHERE adopted_at_ms IS NULL;

CREATE TABLE access_revision (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO access_revision (one, revision) VALUES (1, 0);

CREATE TRIGGER customers_added AFTER INSERT ON customers
BEGIN UPDATE access_revision SET revision = revision + 1; END;

CREATE TRIGGER customers_changed AFTER UPDATE ON customers
WHEN (OLD.email, OLD.name, OLD.created_at_ms, OLD.suspended_at_ms, OLD.deleted_at_ms)
  IS NOT (NEW.email, NEW.name, NEW.created_at_ms, NEW.suspended_at_ms, NEW.deleted_at_ms)
BEGIN UPDATE access_revision SET revision = revision + 1; END;

CREATE TRIGGER subscriptions_added AFTER INSERT ON subscriptions
BEGIN UPDATE access_revision SET revision = revision + 1; END;

CREATE TRIGGER subscriptions_changed AFTER UPDATE ON subscriptions
WHEN (OLD.status, OLD.price_id, OLD.item_id, OLD.period_start_ms, OLD.period_end_ms, OLD.interval, OLD.interval_count,
    OLD.anchor_ms, OLD.cancel_at_ms, OLD.cancel_at_period_end, OLD.ended_at_ms, OLD.past_due_since_ms, OLD.closing_at_ms)
  IS NOT (NEW.status, NEW.price_id, NEW.item_id, NEW.period_start_ms, NEW.period_end_ms, NEW.interval, NEW.interval_count,
    NEW.anchor_ms, NEW.cancel_at_ms, NEW.cancel_at_period_end, NEW.ended_at_ms, NEW.past_due_since_ms, NEW.closing_at_ms)
BEGIN UPDATE access_revision SET revision = revision + 1; END;

CREATE TRIGGER keys_added AFTER INSERT ON keys
BEGIN UPDATE access_revision SET revision = revision + 1; END;

CREATE TRIGGER keys_changed AFTER UPDATE OF name, metadata, scopes, ip_allow, expires_at_ms, revoked_at_ms ON keys
BEGIN UPDATE access_revision SET revision = revision + 1; END;
`;
