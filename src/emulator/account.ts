/** What a route works with: one Stripe account's objects, time, events and meters. */

import type { Decimal } from '../lib/decimal.js';
import type { EmulatorClock } from './clock.js';
import type { FaultSettings } from './faults.js';
import type { MeterLedger, UsageQuery } from './meters/meter-ledger.js';
import type { StoredThinEvent } from './object-kinds.js';
import type { ObjectStore } from './object-store.js';

/** The request on whose behalf an event is emitted. */
export interface Cause {
  /** `req_…`. */
  id: string;
  idempotencyKey: string | undefined;
}

/** One account. The same value in every process that has the file open. */
export interface Account {
  /** `acct_…`, made with the file. */
  readonly id: string;
  readonly objects: ObjectStore;
  readonly clock: EmulatorClock;
  readonly faults: FaultSettings;
  readonly meterLedger: MeterLedger;
  /** A new id: `newId('cus')` is `cus_` and random base62, as long as Stripe makes it. */
  newId(prefix: string): string;
  /**
   * Writes an Event with a copy of `object` and queues it for every endpoint that wants it, with its thin sibling
   * `v1.<type>`. `previousAttributes` belongs to `*.updated` events. Stripe: stripe-facts 6.
   */
  emit(type: string, object: { id: string; object: string }, previousAttributes?: object): void;
  /** Writes and queues a thin event that has no snapshot sibling (stripe-facts 3d). */
  emitThin(
    type: string,
    related: { id: string; type: string; url: string } | undefined,
    data: object,
  ): StoredThinEvent;
  /** Deliveries of an event that have not succeeded: still tried, and given up. */
  outstanding(eventId: string): { pending: number; failed: number };
  /** Where this process serves the hosted pages: `http://127.0.0.1:PORT`. */
  baseUrl(): string;
  /** What a meter has counted for a customer in `[startSec, endSec)`, by the meter's own formula. Exact, no lag. */
  meterUsage(query: UsageQuery): Decimal;
  /** Runs `work` in one transaction. Routes that write are in one already; this is for work outside of routes. */
  write<T>(work: () => T): T;
  /** The same account, whose events name `cause`. */
  causedBy(cause: Cause): Account;
}
