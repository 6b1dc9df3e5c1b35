/** Whether Stripe can still bill what is said about a time of use. */

import type { Customer } from '../domain/customer.js';
import { MeterctlError } from '../domain/error.js';
import { periodEndAt, subscriptionsAt } from '../domain/subscription.js';
import { rfc3339 } from '../lib/rfc3339.js';

/** Stripe refuses older events (stripe-facts 3a). */
export const ageMaxMs = 35 * 86_400_000;

/** An invoice stays a draft, which late usage still changes, for about an hour after its period (stripe-facts 8). */
const draftMs = 3_600_000;

/**
 * Whether an event of this time still changes an invoice: that of a subscription which ran then, the customer's present one or
 * a former one. Usage of somebody who never subscribed is on none yet.
 */
export function isBillable(customer: Customer, atMs: number, nowMs: number): boolean {
  if (atMs < nowMs - ageMaxMs) return false;
  if (customer.subscriptions.length === 0) return true;
  return subscriptionsAt(customer.subscriptions, atMs).some(
    (subscription) => nowMs < periodEndAt(subscription, atMs) + draftMs,
  );
}

/** The error for a correction that no event can bring onto the invoice any more. */
export function invoiceIsFinal(units: number, atMs: number): MeterctlError {
  return new MeterctlError(
    'conflict',
    `The invoice for what was used at ${rfc3339(atMs)} is final, or Stripe takes no more events of that time.`,
    { hint: `Issue a credit note in Stripe for what ${Math.abs(units)} units cost.` },
  );
}
