/** What a call holds of its limits while it runs, so that other processes leave it that. */

/** Never less than what it owes. */
export const heldUnitsSql = `
ALTER TABLE open_calls ADD COLUMN held_units INTEGER NOT NULL DEFAULT 0;
UPDATE open_calls SET held_units = units;
`;
