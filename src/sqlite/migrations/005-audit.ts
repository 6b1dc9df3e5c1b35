/** The audit log: written with every change that it tells of, and never altered. */

/** Each index ends with the row's number by itself, so every filter lists newest first without sorting. */
export const auditSql = `
CREATE TABLE audit (
  no INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  customer_id TEXT,
  details TEXT NOT NULL CHECK (json_type(details) = 'object')
) STRICT;
CREATE INDEX audit_of_subject ON audit (subject);
CREATE INDEX audit_of_customer ON audit (customer_id) WHERE customer_id IS NOT NULL;

CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_stays BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
`;
