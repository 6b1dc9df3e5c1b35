/** The Idempotency-Key of a call that runs, so that a crash in the middle of it gives nobody a second run. */

/** Both are there, or none is. */
export const keyedOpenCallsSql = `
ALTER TABLE open_calls ADD COLUMN idempotency_key TEXT;
ALTER TABLE open_calls ADD COLUMN fingerprint BLOB CHECK ((fingerprint IS NULL) = (idempotency_key IS NULL));
`;
