/** What comes in from buyers and from Stripe: Checkout sessions started here, and stored messages. */

/** `webhooks_waiting` lists what is still to be applied in the order in which it falls due. */
export const inboxSql = `
CREATE TABLE checkouts (
  session_id TEXT PRIMARY KEY,
  customer_no INTEGER REFERENCES customers (no),
  created_at_ms INTEGER NOT NULL,
  provisioned_at_ms INTEGER CHECK ((provisioned_at_ms IS NOT NULL) = (customer_no IS NOT NULL)),
  claimed_at_ms INTEGER,
  key_no INTEGER REFERENCES keys (no) CHECK ((key_no IS NOT NULL) = (claimed_at_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE webhooks (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('snapshot', 'thin')),
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('webhook', 'poll')),
  state TEXT NOT NULL CHECK (state IN ('received', 'applied', 'failed')),
  received_at_ms INTEGER NOT NULL,
  applied_at_ms INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at_ms INTEGER NOT NULL,
  reason TEXT
) STRICT;
CREATE INDEX webhooks_waiting ON webhooks (next_attempt_at_ms, no) WHERE state = 'received';
CREATE INDEX webhooks_failed ON webhooks (no) WHERE state = 'failed';
`;
