/** What Stripe's count of one minute proves about the deliveries stamped in it. Nothing here guesses. */

import { isSettled, type StampedDelivery, type Verdict } from '../domain/reconciliation.js';
import { choicesOf } from './choices.js';
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
 * (stripe-facts 3f). What allows several explanations is settled only where any of them makes the same sum right.
 */
export function verdictsOf(deliveries: readonly StampedDelivery[], stripe: number, proof: Proof): Verdict[] {
  const uncertain = deliveries.filter(({ state }) => state === 'uncertain');
  const others = deliveries.filter(({ state }) => state !== 'uncertain');
  if (!others.every((delivery) => isSettled(delivery, proof.settledBeforeMs))) return [];
  const delivered = others.filter(({ state }) => state === 'delivered');
  const lacks = unitsOf(delivered) - stripe;
  const old = [...uncertain, ...delivered].every((delivery) => sentLongAgo(delivery, proof));
  if (uncertain.length > 0) return uncertainVerdicts(uncertain, -lacks, old, proof);
  if (!old) return [];
  return lostOf(delivered, lacks, proof).map((delivery) => verdict(delivery, 'delivered', 'anew'));
}

/**
 * Those whose units are just what Stripe counts beyond the rest have arrived. When only these can be meant, the others have
 * not, and are sent again as they are. When others could be meant as well, any choice leaves the same units to be sent; these
 * get a new identifier, because Stripe may have the old one and would only repeat that.
 */
function uncertainVerdicts(
  uncertain: readonly StampedDelivery[],
  arrivedUnits: number,
  old: boolean,
  proof: Proof,
): Verdict[] {
  const units = uncertain.map((delivery) => delivery.units);
  const [choice, other] = choicesOf(units, arrivedUnits) ?? [];
  if (!choice || (other && !(old && areAlike(uncertain, proof)))) return [];
  return uncertain.flatMap((delivery, place) => {
    if (choice.includes(place)) return [verdict(delivery, 'uncertain', 'delivered')];
    return old ? [verdict(delivery, 'uncertain', other ? 'anew' : 'pending')] : [];
  });
}

/**
 * The delivered ones that Stripe lacks: all of them, or one whose units are just what is lacking. If several have these
 * units, any of them stands for the one that is lost.
 */
function lostOf(delivered: readonly StampedDelivery[], lacks: number, proof: Proof): StampedDelivery[] {
  const counted = delivered.filter(({ units }) => units !== 0);
  if (lacks <= 0 || !areAlike(counted, proof)) return [];
  return lacks === unitsOf(counted) ? counted : counted.filter(({ units }) => units === lacks).slice(0, 1);
}

/** Whether one may stand for another of the same units: usage of one billing period, untouched, which Stripe still takes. */
function areAlike(deliveries: readonly StampedDelivery[], proof: Proof): boolean {
  const billable = ({ timestampMs }: StampedDelivery) => proof.nowMs - timestampMs < ageMaxMs;
  const plain = deliveries.every((each) => each.units > 0 && !each.corrected && billable(each));
  return plain && new Set(deliveries.map(({ periodStartMs }) => periodStartMs)).size === 1;
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
