/** Reconciliation: whether ledger, deliveries and Stripe's own counts say the same, customer by customer. */

import type { DeliveryState } from './delivery.js';
import type { Period } from './subscription.js';

/** Whose usage is compared. Times mean the deliveries' timestamps, which are what Stripe counts by. */
export interface StampedRange extends Period {
  customerId: string;
  /** The meter's event name. */
  meter: string;
}

/** What stands here of one span, in units. */
export interface SpanSums extends Period {
  /** All usage rows that the deliveries cover. */
  ledger: number;
  /** All deliveries; the same as `ledger`, or something is broken. */
  units: number;
  /** What Stripe must be counting by now. */
  delivered: number;
  /** Of what Stripe may or may not be counting, all that takes units away, and all that adds some. */
  unsettledMin: number;
  unsettledMax: number;
  /** Not delivered and on its way. */
  pending: number;
  /** How many deliveries Stripe refused. */
  refused: number;
  /** How many deliveries are uncertain; their units count as unsettled too. */
  uncertain: number;
}

/** Why a span differs. */
export type DriftCause =
  /** Usage rows and the deliveries born with them differ: the database was changed by something else. */
  | 'ledger_and_deliveries_differ'
  /** Stripe counts less than it accepted. */
  | 'missing_at_stripe'
  /** Stripe counts usage that is not known here: sent by somebody else, or counted twice. */
  | 'more_at_stripe'
  /** Whether Stripe has it is not known. */
  | 'uncertain'
  /** Stripe would not take it. */
  | 'refused'
  /** Stripe does not have the customer. */
  | 'no_such_customer'
  /** Stripe counts it, and its subscription was ended without an invoice of it that stands. */
  | 'not_invoiced';

/** A span in which Stripe does not bill what the ledger holds. */
export interface Drift extends Period {
  customerId: string;
  ledger: number;
  pending: number;
  /** What Stripe counts, or of what is not invoiced, bills. */
  stripe: number;
  cause: DriftCause;
  /** The uncertain and refused deliveries in it. */
  deliveryIds: string[];
}

/** A delivery as the comparison of one minute looks at it. */
export interface StampedDelivery {
  id: string;
  state: DeliveryState;
  units: number;
  attempts: number;
  periodStartMs: number;
  timestampMs: number;
  nextAttemptAtMs: number;
  unknownSinceMs: number | null;
  deliveredAtMs: number | null;
  /** Whether it takes units back or units of it were taken back. */
  corrected: boolean;
}

/** What a comparison has proved about a delivery. It counts only while the delivery is still as it was when compared. */
export interface Verdict {
  id: string;
  attempts: number;
  /** Where it stood. */
  state: 'uncertain' | 'delivered';
  /**
   * `delivered`: Stripe has it. `pending`: Stripe does not have it, so it is sent. `anew`: so too, under its next identifier,
   * because Stripe may know the present one and would not count it again.
   */
  becomes: 'delivered' | 'pending' | 'anew';
}

/** Units that Stripe lacks, pending ones aside; negative when it has too many. */
export function differenceOf({
  ledger,
  pending,
  stripe,
}: Pick<Drift, 'ledger' | 'pending' | 'stripe'>): number {
  return ledger - pending - stripe;
}

/** Judges one span by what stands here and what Stripe counts; `undefined` when all is well. */
export function driftCause(sums: SpanSums, stripe: number): DriftCause | undefined {
  const { ledger, units, delivered, unsettledMin, unsettledMax, refused, uncertain } = sums;
  if (ledger !== units) return 'ledger_and_deliveries_differ';
  if (stripe < delivered + unsettledMin) return 'missing_at_stripe';
  if (stripe > delivered + unsettledMax) return 'more_at_stripe';
  if (uncertain > 0) return 'uncertain';
  return refused > 0 ? 'refused' : undefined;
}

/** A span in which nothing stands. */
export function emptySums({ startMs, endMs }: Period): SpanSums {
  const units = { ledger: 0, units: 0, delivered: 0, unsettledMin: 0, unsettledMax: 0, pending: 0 };
  return { startMs, endMs, ...units, refused: 0, uncertain: 0 };
}

/** Adds spans up into one. */
export function sumSpans(span: Period, parts: readonly SpanSums[]): SpanSums {
  const total = emptySums(span);
  for (const { startMs: _, endMs: __, ...numbers } of parts) {
    for (const [name, value] of Object.entries(numbers)) total[name as keyof typeof numbers] += value;
  }
  return total;
}

/** What the sums need to know of a delivery; `ledger` are the units of its usage rows. */
export type SummedDelivery = Pick<StampedDelivery, 'units' | 'state' | 'unknownSinceMs' | 'deliveredAtMs'> & {
  ledger: number;
};

/** Adds one delivery. What was delivered at `settledBeforeMs` or later need not show in Stripe's counts yet. */
export function addToSums(sums: SpanSums, delivery: SummedDelivery, settledBeforeMs: number): void {
  const { units, state, ledger } = delivery;
  sums.ledger += ledger;
  sums.units += units;
  if (state === 'refused') sums.refused += 1;
  if (state === 'uncertain') sums.uncertain += 1;
  if (state === 'open' || state === 'pending' || state === 'claimed') sums.pending += units;
  if (isSettled(delivery, settledBeforeMs)) {
    if (state === 'delivered') sums.delivered += units;
  } else {
    sums.unsettledMin += Math.min(0, units);
    sums.unsettledMax += Math.max(0, units);
  }
}

/** Whether it is certain what Stripe counts of a delivery: all of it when it is delivered, and otherwise nothing. */
export function isSettled(
  {
    state,
    unknownSinceMs,
    deliveredAtMs,
  }: Pick<StampedDelivery, 'state' | 'unknownSinceMs' | 'deliveredAtMs'>,
  settledBeforeMs: number,
): boolean {
  switch (state) {
    case 'delivered':
      return deliveredAtMs !== null && deliveredAtMs < settledBeforeMs;
    case 'open':
    case 'pending':
    // Refused, but an earlier attempt may have arrived all the same.
    case 'refused':
      return unknownSinceMs === null;
    case 'claimed':
    case 'uncertain':
      return false;
  }
}
