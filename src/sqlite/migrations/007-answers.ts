/** What calls with an Idempotency-Key were answered, for a day. */

/** Born in the commit of the usage that the answer was billed with; a younger call under the same key takes the row over. */
export const answersSql = `
CREATE TABLE answers (
  customer_no INTEGER NOT NULL REFERENCES customers (no),
  idempotency_key TEXT NOT NULL,
  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
  usage_id INTEGER NOT NULL REFERENCES usage (id),
  status INTEGER NOT NULL,
  headers TEXT NOT NULL CHECK (json_type(headers) = 'object'),
  body BLOB,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (customer_no, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_by_age ON answers (created_at_ms);
`;
