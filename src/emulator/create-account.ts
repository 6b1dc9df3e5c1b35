/** Puts an account together over an open file. */

import type { Host } from '../lib/host.js';
import type { Account, Cause } from './account.js';
import { dueTime } from './billing/due-time.js';
import { createEmulatorClock } from './clock.js';
import type { Database } from './database.js';
import { createDeliveryQueue, type DeliveryQueue } from './events/delivery-queue.js';
import { recordEvent, recordThinEvent } from './events/event-log.js';
import type { Expansions } from './expand.js';
import { createFaultSettings } from './faults.js';
import { createIdentifier } from './identifiers.js';
import { createMeterLedger } from './meters/meter-ledger.js';
import { createObjectStore } from './object-store.js';
import { createSettings } from './settings.js';

/** What an account is made of. */
export interface AccountParts {
  database: Database;
  host: Host;
  expansions: Expansions;
  baseUrl(): string;
  /** Told when webhooks were queued. */
  onWebhook(): void;
}

/** The account in a file (made there when there is none), and the queue of its webhooks. */
export function createAccount({ database, host, expansions, baseUrl, onWebhook }: AccountParts): {
  account: Account;
  queue: DeliveryQueue;
} {
  const settings = createSettings(database);
  const clock = createEmulatorClock(host.clock, settings);
  const objects = createObjectStore(database, clock.nowSec, dueTime);
  const queue = createDeliveryQueue(database, objects, settings, host.clock.nowMs, onWebhook);
  const meterLedger = createMeterLedger(database);
  const newId = (prefix: string) => createIdentifier(host.random, prefix);
  const id = settings.once('account_id', () => newId('acct'));
  const faults = createFaultSettings(database, settings);

  function accountFor(cause: Cause | undefined): Account {
    const account: Account = {
      id,
      objects,
      clock,
      faults,
      meterLedger,
      newId,
      baseUrl,
      outstanding: queue.outstanding,
      meterUsage: meterLedger.usage,
      write: database.write,
      causedBy: accountFor,
      emit(type, object, previousAttributes) {
        recordEvent(account, queue, expansions, cause, { type, object, previousAttributes });
      },
      emitThin(type, related, data) {
        const about = related ? { related_object: related } : {};
        return recordThinEvent(account, queue, cause, { type, data, ...about });
      },
    };
    return account;
  }

  return { account: accountFor(undefined), queue };
}
