/** Usage: what a customer consumed, in units, at a time. The ledger holds it for ever; corrections are new rows. */

import type { AnsweredCall } from './answer.js';
import type { CallStep } from './open-call.js';
import type { Room } from './room.js';
import type { Period } from './subscription.js';

/** Stripe counts with at most 15 digits (stripe-facts 3a), so nothing is recorded at once that has more. */
export const usageUnitsMax = 999_999_999_999_999;

/** Usage that is about to be recorded. */
export interface NewUsage {
  customerNo: number;
  /** The key that was used; `null` when the operator recorded it. */
  keyNo: number | null;
  /** The meter's event name. */
  meter: string;
  /** Which endpoint, as reports show it: `GET /api`. */
  route: string;
  /** A whole number; negative in corrections. */
  units: number;
  /** When it was used. */
  atMs: number;
  /** The span that its delivery aggregates; see `deliveryWindow`. */
  window: Period;
  /** Start of the billing period that it belongs to. */
  periodStartMs: number;
  /** Makes the recording repeatable: the same key of the same customer records once. */
  idempotencyKey?: string | undefined;
  /** The same for a day only, with the answer to the call; keys of calls are apart from those above. */
  answered?: AnsweredCall | undefined;
  /** Set for usage of a call that is answered before its units are known. */
  call?: CallStep | undefined;
  /**
   * What limits leave for it. Usage that does not fit is not written, but for a call that is over: it owes as much as fits, and
   * what it holds at least.
   */
  room?: Room | undefined;
}

/** What came of recording one usage. */
export interface RecordedUsage {
  /** The ledger's number of the row; 0 when there is none. */
  id: number;
  /**
   * `repeat`: the idempotency key had been used; the row named is the first one, and nothing was added. `open`: the call has
   * begun. `closed`: somebody else had closed the call, and nothing was added. `no_room`: limits have no room for it, and
   * nothing was added or begun.
   */
  recorded: 'new' | 'repeat' | 'open' | 'closed' | 'no_room';
  /** The units of the row that stands in the ledger. */
  units: number;
  /** The customer's units in the billing period, this usage included. */
  periodUnits: number;
}

/** A row of the ledger, as far as taking it back asks. */
export interface LedgerRow {
  id: number;
  customerId: string;
  units: number;
  atMs: number;
}

/** The wish to take one row of the ledger back. */
export interface UsageVoid {
  usageId: number;
  reason: string;
  /** Whether an event of the row's period still changes its invoice. */
  billable: boolean;
  /** Stripe still cancels what it was delivered since then. */
  cancellableSinceMs: number;
}

/** A row that was taken back. */
export interface VoidedUsage {
  /** The ledger's number of the row that takes it back. */
  id: number;
  /** Below zero. */
  units: number;
  voids: number;
  /** `repeat`: it was taken back before, for the reason given here, and nothing was added. */
  recorded: 'new' | 'repeat';
  /**
   * `shrunk`: Stripe does not have the units, and will not get them. `cancelled`: Stripe is asked to cancel the event that
   * held them. `negative`: they are taken off by an event of their own.
   */
  how: 'shrunk' | 'cancelled' | 'negative';
  reason: string;
}

/** How usage is grouped. */
export type UsageGrouping = 'hour' | 'day' | 'month' | 'customer' | 'key' | 'route';

/** Which usage a report is about: `[fromMs, toMs)`. */
export interface UsageFilter {
  fromMs: number;
  toMs: number;
  customerId?: string | undefined;
  keyId?: string | undefined;
  route?: string | undefined;
}

/** One row of a usage report: only the field it is grouped by is set. */
export interface UsageSum {
  /** Start of the hour, day or month in UTC. */
  bucketMs?: number;
  customerId?: string;
  /** `null` for what the operator recorded without a key. */
  keyId?: string | null;
  route?: string;
  units: number;
  /** Rows of the ledger; corrections, with less than zero units, are none. */
  requests: number;
}

/** Totals of a report, and how much of it has reached Stripe. `pending` holds everything not sent yet. */
export interface UsageTotals {
  units: number;
  requests: number;
  delivered: number;
  pending: number;
  uncertain: number;
  refused: number;
}
