/** Which calls with an Idempotency-Key are being carried out, and by which process, so that no other carries them out too. */

/** A row goes when its call is over. Its `runner` says every few seconds that it still runs; `no` tells the runner's own rows apart. */
export const answerClaimsSql = `
CREATE TABLE answer_claims (
  customer_no INTEGER NOT NULL REFERENCES customers (no),
  idempotency_key TEXT NOT NULL,
  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
  runner TEXT NOT NULL,
  no INTEGER NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  PRIMARY KEY (customer_no, idempotency_key)
) STRICT, WITHOUT ROWID;
`;
