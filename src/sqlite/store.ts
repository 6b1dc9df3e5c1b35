/** The SQLite engine: every noun of the storage contract on one database file. */

import type { Store } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import { createAlertStore } from './alerts.js';
import { createAnswers } from './answers.js';
import { createAudit } from './audit.js';
import { createCheckouts } from './checkouts.js';
import { watchClock } from './clock-watch.js';
import { createCustomers } from './customers.js';
import { createDeliveries } from './deliveries.js';
import { createIdentity } from './identity.js';
import { createKeyRows } from './key-rows.js';
import { createKeyTransfer } from './key-transfer.js';
import { createKeys } from './keys.js';
import { createLimits } from './limits.js';
import { type Database, openDatabase } from './open.js';
import { createReconciliation } from './reconciliation.js';
import { createRollups } from './rollups.js';
import { createUsage } from './usage.js';
import { createWebhooks } from './webhooks.js';

/**
 * Opens or creates the database at `path` and brings it to the present schema. Throws `unavailable` when the file cannot
 * be used, and `conflict` when a newer meterctl or another program wrote it.
 */
export async function openStore(options: { path: string; host: Host }): Promise<Store> {
  return createStore(openDatabase(options.path, options.host.clock), options.host);
}

/** The contract on a database that is open already; closing the store closes it. */
export function createStore(unwatched: Database, host: Host): Store {
  const database = watchClock(unwatched, host.clock);
  const { audit, ...auditStore } = createAudit(database);
  const { customers, ...customerStore } = createCustomers(database, host.clock, audit);
  const { limits, ...limitStore } = createLimits(database, audit);
  const keyRows = createKeyRows(database, limits);
  const { keys, ...keyStore } = createKeys(database, customers, keyRows, audit);
  const rollups = createRollups(database.connection);
  const countCheck = database.connection.prepare('UPDATE identity SET write_checks = write_checks + 1');
  return {
    ...createIdentity(database),
    ...customerStore,
    ...keyStore,
    ...createKeyTransfer(database, keyRows, audit),
    ...auditStore,
    ...createUsage(database, { host, audit, rollups }),
    ...createDeliveries(database, { host, audit, rollups }),
    ...createReconciliation(database, host.clock),
    ...createCheckouts(database, host.clock, customers, keys),
    ...createAnswers(database, host.clock),
    ...createAlertStore(database),
    ...createWebhooks(database, host.clock),
    ...limitStore,
    async check() {
      await database.write(() => countCheck.run());
    },
    close: database.close,
  };
}
