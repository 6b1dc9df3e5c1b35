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
  /** `dlv_…`; the identifier that Stripe sees, for ever. */
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
  /** Which Idempotency-Key comes next: 1 is the id itself, 2 is `<id>:2`, after a received 5xx (stripe-facts 3a). */
  keyNumber: number;
  /** Not to be sent before this time. */
  nextAttemptAtMs: number;
  /** Since when a send may have reached Stripe without an answer; `null` when no send's outcome is unknown. */
  unknownSinceMs: number | null;
  /** Why the last attempt did not succeed, or why it was refused; `null` if there is nothing to say. */
  reason: string | null;
  deliveredAtMs: number | null;
}

/** A delivery leased for sending. */
export interface ClaimedDelivery extends Delivery {
  /** Proves the lease when the delivery is settled. */
  claimId: number;
  /** Until when nobody else may claim it. */
  leaseUntilMs: number;
}

/** What came of sending a delivery. */
export type DeliveryOutcome =
  /** Stripe has it (also when it said that it had it already). */
  | { kind: 'delivered' }
  /** Stripe will never take it as it is. */
  | { kind: 'refused'; reason: string }
  /** Try again later. `processed`: whether Stripe may have taken it. `nextKey`: an answer was received that Stripe would replay. */
  | { kind: 'retry'; reason: string; atMs: number; processed: 'no' | 'unknown'; nextKey: boolean }
  /** Unknown for longer than Stripe remembers. */
  | { kind: 'uncertain'; reason: string };

/** A delivery with what came of sending it. */
export interface Settlement {
  id: string;
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

/** The Idempotency-Key of the next send: the id, or the id with a number after a received 5xx (stripe-facts 3a). */
export function idempotencyKeyOf(delivery: Pick<Delivery, 'id' | 'keyNumber'>): string {
  return delivery.keyNumber === 1 ? delivery.id : `${delivery.id}:${delivery.keyNumber}`;
}
