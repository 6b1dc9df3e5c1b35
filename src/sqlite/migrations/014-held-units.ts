/** What a call holds of its limits while it runs, and which process runs it: others leave it what it holds. */

/** Of whom the calls are is asked with every commit that follows another process's. */
export const heldUnitsSql = `
ALTER TABLE open_calls ADD COLUMN held_units INTEGER NOT NULL DEFAULT 0;
UPDATE open_calls SET held_units = units;
ALTER TABLE open_calls ADD COLUMN runner TEXT NOT NULL DEFAULT '';
CREATE INDEX open_calls_of_runner ON open_calls (runner);
`;
