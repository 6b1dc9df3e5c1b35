/** The faults of an account for processes that do not run it: set here, they strike there at the next request. */

import type { Closable } from '../lib/closers.js';
import { openDatabase } from './database.js';
import { createFaultSettings, type FaultSettings } from './faults.js';
import { createSettings } from './settings.js';

/** Opens them; the account's file is made when it is missing. Must be closed. */
export function openFaults(databasePath: string): FaultSettings & Closable {
  const database = openDatabase(databasePath);
  return { ...createFaultSettings(database, createSettings(database)), close: () => database.close() };
}
