/** How much a key, a customer or everybody on a price may use. */

/** `limits` is an object of the domain's, which reads it whole; the rows decide about access, so they bump its revision. */
export const limitsSql = `
CREATE TABLE limits (
  kind TEXT NOT NULL CHECK (kind IN ('key', 'customer', 'plan')),
  subject TEXT NOT NULL,
  limits TEXT NOT NULL CHECK (json_type(limits) = 'object'),
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER limits_added AFTER INSERT ON limits
BEGIN UPDATE access_revision SET revision = revision + 1; END;

CREATE TRIGGER limits_changed AFTER UPDATE ON limits WHEN OLD.limits IS NOT NEW.limits
BEGIN UPDATE access_revision SET revision = revision + 1; END;

CREATE TRIGGER limits_removed AFTER DELETE ON limits
BEGIN UPDATE access_revision SET revision = revision + 1; END;
`;
