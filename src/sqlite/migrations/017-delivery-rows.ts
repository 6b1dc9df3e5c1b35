/** The ledger by delivery, kept behind the roll-ups' mark as well: a paid call writes its row, and no index. */

/**
 * `delivery_rows` takes the place of an index of the ledger, for rows up to the mark; those after it are few, and read as they
 * come. A trigger fills it, so that it cannot fall behind the mark, whichever version moves that.
 *
 * Takes about a second a million rows, once.
 */
export const deliveryRowsSql = `
CREATE TABLE delivery_rows (
  delivery_no INTEGER NOT NULL,
  usage_id INTEGER NOT NULL,
  PRIMARY KEY (delivery_no, usage_id)
) STRICT, WITHOUT ROWID;

INSERT INTO delivery_rows (delivery_no, usage_id)
SELECT delivery_no, id FROM usage INDEXED BY usage_of_delivery WHERE id <= (SELECT usage_id FROM rollup_mark)
ORDER BY delivery_no, id;

DROP INDEX usage_of_delivery;

CREATE TRIGGER rollup_mark_moves AFTER UPDATE ON rollup_mark
BEGIN
  INSERT INTO delivery_rows (delivery_no, usage_id)
  SELECT delivery_no, id FROM usage WHERE id > OLD.usage_id AND id <= NEW.usage_id;
END;

DROP VIEW unfolded_usage;
CREATE VIEW unfolded_usage AS
SELECT id, delivery_no, customer_no, COALESCE(key_no, 0) AS key_no, route_no, at_ms, at_ms / 86400000 AS day, units,
  units >= 0 AS requests
FROM usage WHERE id > (SELECT usage_id FROM rollup_mark);
`;
