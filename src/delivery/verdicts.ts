/** What Stripe's count of one minute proves about the deliveries stamped in it. Nothing here guesses. */

import { isSettled, type StampedDelivery, type Verdict } from '../domain/reconciliation.js';
import { ageMaxMs } from './send.js';

/** The circumstances of a comparison. */
export interface Proof {
  nowMs: number;
  /** What was delivered at this time or later need not show in Stripe's counts yet. */
  settledBeforeMs: number;
  /** How long ago something must have been sent before a count without it proves that it is not there. */
  absenceMs: number;
}

/**
 * Judges the deliveries of a minute of which Stripe counts `stripe` units. A count with a delivery proves that it arrived.
 * A count without it proves that it did not only when everything in the minute was sent long ago: counts lag
 * (stripe-facts 3f). Whatever allows two explanations proves nothing.
 */
export function verdictsOf(deliveries: readonly StampedDelivery[], stripe: number, proof: Proof): Verdict[] {
  const uncertain = deliveries.filter(({ state }) => state === 'uncertain');
  const others = deliveries.filter(({ state }) => state !== 'uncertain');
  if (!others.every((delivery) => isSettled(delivery, proof.settledBeforeMs))) return [];
  const delivered = others.filter(({ state }) => state === 'delivered');
  const lacks = unitsOf(delivered) - stripe;
  const old = [...uncertain, ...delivered].every((delivery) => sentLongAgo(delivery, proof));
  if (uncertain.length > 0) {
    const units = unitsOf(uncertain);
    if (units === 0) return [];
    if (lacks === -units) return uncertain.map((delivery) => verdict(delivery, 'uncertain', 'delivered'));
    if (lacks === 0 && old) return uncertain.map((delivery) => verdict(delivery, 'uncertain', 'pending'));
    return [];
  }
  if (!old) return [];
  return lostOf(delivered, lacks, proof).map((delivery) => verdict(delivery, 'delivered', 'pending'));
}

/**
 * The delivered ones that Stripe lacks: all of them, or one whose units are just what is lacking. If several have these
 * units, any of them stands for the one that is lost, as long as all belong to one billing period.
 */
function lostOf(delivered: readonly StampedDelivery[], lacks: number, proof: Proof): StampedDelivery[] {
  const counted = delivered.filter(({ units }) => units !== 0);
  const billable = ({ timestampMs }: StampedDelivery) => proof.nowMs - timestampMs < ageMaxMs;
  const plain = counted.every((delivery) => delivery.units > 0 && !delivery.corrected && billable(delivery));
  const periods = new Set(counted.map(({ periodStartMs }) => periodStartMs));
  if (lacks <= 0 || !plain || periods.size !== 1) return [];
  return lacks === unitsOf(counted) ? counted : counted.filter(({ units }) => units === lacks).slice(0, 1);
}

/** No attempt ends after the time at which the next one was due, and none after the delivery was settled. */
function sentLongAgo({ deliveredAtMs, nextAttemptAtMs }: StampedDelivery, proof: Proof): boolean {
  return Math.max(deliveredAtMs ?? 0, nextAttemptAtMs) <= proof.nowMs - proof.absenceMs;
}

function unitsOf(deliveries: readonly StampedDelivery[]): number {
  return deliveries.reduce((sum, { units }) => sum + units, 0);
}

function verdict(
  { id, attempts }: StampedDelivery,
  state: Verdict['state'],
  becomes: Verdict['becomes'],
): Verdict {
  return { id, attempts, state, becomes };
}
