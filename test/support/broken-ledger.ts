/** A ledger that takes nothing, for the programs that have it open. */

import Database from 'better-sqlite3';

const tables = ['usage', 'open_calls'];

/** Has every write fail that would add to the ledger. Returns what mends it. */
export function breakLedger(databasePath: string): () => void {
  const database = new Database(databasePath);
  for (const table of tables) {
    const fail = `SELECT RAISE(ABORT, 'broken on purpose')`;
    database.exec(`CREATE TRIGGER broken_${table} BEFORE INSERT ON ${table} BEGIN ${fail}; END`);
  }
  return () => {
    for (const table of tables) database.exec(`DROP TRIGGER broken_${table}`);
    database.close();
  };
}
