/** Whose database it is: mode, Stripe account, and small marks. */

/** `write_checks` is counted up by nothing but the check that the database can be written. */
export const identitySql = `
CREATE TABLE identity (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  mode TEXT CHECK (mode IN ('emulator', 'test', 'live')),
  account_id TEXT,
  write_checks INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO identity (one) VALUES (1);

CREATE TABLE marks (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
