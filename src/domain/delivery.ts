/** A delivery: one meter event owed to Stripe, covering one customer's usage of one meter in one short window. */

import type { Period } from './subscription.js';

/**
 * Where a delivery stands.
 * `open`: its window still takes usage. `pending`: frozen, to be sent. `claimed`: leased by a courier that may be sending
 * it. `delivered`: Stripe has it. `refused`: Stripe will not take it; somebody must look. `uncertain`: its outcome stayed
 * unknown for longer than Stripe remembers identifiers; it is compared with Stripe's summaries, never sent again blindly.
 */
export type DeliveryState = 'open' | 'pending' | 'claimed' | 'delivered' | 'refused' | 'uncertain';

/** Every state, in the order in which a delivery passes through them. */
export const deliveryStates: readonly DeliveryState[] = [
  'open',
  'pending',
  'claimed',
  'delivered',
  'refused',
  'uncertain',
];

/** A delivery as the store keeps it. From `pending` on, everything that Stripe sees of it is frozen. */
export interface Delivery {
  /** `dlv_…`; the identifier that Stripe sees, or the stem of it. */
  id: string;
  customerId: string;
  meter: string;
  window: Period;
  units: number;
  /** A time of use inside the window: what Stripe is told. */
  timestampMs: number;
  state: DeliveryState;
  /** How many times it was claimed for sending. */
  attempts: number;
  /** Which identifier Stripe has or gets next: 1 is the id itself, 2 is `<id>.2`, after Stripe rejected what it had accepted. */
  identifierNumber: number;
  /** Which Idempotency-Key comes next: 1 is the identifier, 2 is `<identifier>:2`, after an answer that Stripe would replay. */
  keyNumber: number;
  /** The delivery whose units this one takes back, in part or as a whole; `null` for what covers usage itself. */
  corrects: string | null;
  /** The identifier of the event that Stripe is asked to cancel; `null` for what is sent as an event of its own. */
  cancels: string | null;
  /** Not to be sent before this time. */
  nextAttemptAtMs: number;
  /** Since when a send may have reached Stripe without an answer; `null` when every send's outcome is known. */
  unknownSinceMs: number | null;
  /** Why the last attempt did not succeed, or why it was refused; `null` if there is nothing to say. */
  reason: string | null;
  deliveredAtMs: number | null;
}

/** A delivery leased for sending. */
export interface ClaimedDelivery extends Delivery {
  /** Proves the lease when the delivery is settled. */
  claimId: number;
  /** `unknownSinceMs` as it was before this lease: whether an earlier send may have reached Stripe. */
  unknownBeforeMs: number | null;
  /** Until when nobody else may claim it. */
  leaseUntilMs: number;
}

/** No delivery waits longer for its next attempt: Stripe's `Retry-After` counts up to an hour, our own pauses are shorter. */
export const waitMaxMs = 2 * 3_600_000;

/** What came of sending a delivery. */
export type DeliveryOutcome =
  /** Stripe has it (also when it said that it had it already). */
  | { kind: 'delivered' }
  /** Stripe will never take it as it is. */
  | { kind: 'refused'; reason: string }
  /** Try again later. `processed`: whether Stripe may have taken it. `nextKey`: an answer was received that Stripe would replay. */
  | { kind: 'retry'; reason: string; atMs: number; processed: 'no' | 'unknown'; nextKey: boolean }
  /** Stripe no longer cancels the event: its units are taken back by an event of their own. */
  | { kind: 'uncancellable'; reason: string }
  /** Unknown for longer than Stripe remembers. */
  | { kind: 'uncertain'; reason: string };

/** A delivery with what came of sending it. */
export interface Settlement {
  id: string;
  /** What was sent: an answer to an identifier that is used up says nothing about the next one. */
  identifierNumber: number;
  claimId: number;
  outcome: DeliveryOutcome;
}

/** How many deliveries stand in each state; `open` ones count as pending. */
export interface OutboxStatus {
  pending: number;
  claimed: number;
  delivered: number;
  refused: number;
  uncertain: number;
  /** Age of the oldest usage that has not reached Stripe yet; `null` when there is none. */
  oldestPendingMs: number | null;
}

/**
 * The window that usage at `atMs` is aggregated in: a multiple of `windowMs`, cut at the edges of the billing period, so
 * that no delivery spans two periods. Stripe counts whole seconds, so windows are whole seconds too.
 */
export function deliveryWindow(atMs: number, windowMs: number, period: Period | undefined): Period {
  const startMs = Math.floor(atMs / windowMs) * windowMs;
  const endMs = startMs + windowMs;
  if (!period) return { startMs, endMs };
  return { startMs: Math.max(startMs, period.startMs), endMs: Math.min(endMs, period.endMs) };
}

/** A delivery that Stripe rejected after accepting it. */
export interface Rejection {
  id: string;
  /** Of the identifier that was rejected. */
  identifierNumber: number;
  reason: string;
}

/** What came of a report that Stripe rejected a delivery after it had accepted it. `repeat`: it is known already. */
export type RejectionResult = 'refused' | 'repeat' | 'unknown';

/**
 * What came of asking for another attempt. `retried`: a refused one is pending again. `hastened`: a pending one is due now.
 * Otherwise where it stands, because nothing was done; `unknown`: there is no such delivery.
 */
export type RetryResult = 'retried' | 'hastened' | 'open' | 'claimed' | 'delivered' | 'uncertain' | 'unknown';

/**
 * What came of an operator's word about a delivery whose outcome is unknown: `settled`, or where it stands because it is not
 * uncertain; `unknown`: there is no such delivery.
 */
export type HandSettlement = 'settled' | Exclude<DeliveryState, 'uncertain'> | 'unknown';

/** What Stripe knows the delivery by. Once Stripe has rejected it, an identifier is used up (stripe-facts 3a). */
export function identifierOf({ id, identifierNumber }: Pick<Delivery, 'id' | 'identifierNumber'>): string {
  return identifierNumber === 1 ? id : `${id}.${identifierNumber}`;
}

/** The Idempotency-Key of the next send: the identifier, or that with a number after a received 5xx (stripe-facts 3a). */
export function idempotencyKeyOf(delivery: Pick<Delivery, 'id' | 'identifierNumber' | 'keyNumber'>): string {
  const identifier = identifierOf(delivery);
  return delivery.keyNumber === 1 ? identifier : `${identifier}:${delivery.keyNumber}`;
}

/** Reads an identifier or an Idempotency-Key as Stripe tells it; `undefined` for one that was not made here. */
export function parseIdentifier(text: string): Pick<Delivery, 'id' | 'identifierNumber'> | undefined {
  const match = /^(dlv_\w+)(?:\.([1-9]\d{0,8}))?(?::[1-9]\d{0,8})?$/.exec(text);
  return match?.[1] === undefined ? undefined : { id: match[1], identifierNumber: Number(match[2] ?? 1) };
}
