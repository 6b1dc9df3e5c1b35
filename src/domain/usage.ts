/** Usage: what a customer consumed, in units, at a time. The ledger holds it for ever; corrections are new rows. */

import type { CallStep } from './open-call.js';
import type { Period } from './subscription.js';

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
  /** Set for usage of a call that is answered before its units are known. */
  call?: CallStep | undefined;
}

/** What came of recording one usage. */
export interface RecordedUsage {
  /** The ledger's number of the row; 0 when there is none. */
  id: number;
  /**
   * `repeat`: the idempotency key had been used; the row named is the first one, and nothing was added. `open`: the call has
   * begun. `closed`: somebody else had closed the call, and nothing was added.
   */
  recorded: 'new' | 'repeat' | 'open' | 'closed';
  /** The units of the row that stands in the ledger. */
  units: number;
  /** The customer's units in the billing period, this usage included. */
  periodUnits: number;
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
