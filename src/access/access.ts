/** Who may call: one pure rule from what Stripe says of a customer's subscriptions, and the time (stripe-facts 8). */

import type { Customer } from '../domain/customer.js';
import { currentSubscription, endOf, type Subscription } from '../domain/subscription.js';

/** Why a customer may not call. */
export type AccessRefusal = 'subscription_inactive' | 'payment_required' | 'customer_suspended';

/** Whether a customer may call. `warning` is set while access hangs on the grace of a late payment, which ends at `untilMs`. */
export type Access =
  | { allowed: true; subscription: Subscription; warning: null }
  | { allowed: true; subscription: Subscription; warning: 'past_due'; untilMs: number }
  | { allowed: false; code: AccessRefusal };

/** Decides at `nowMs`. The operator's suspension stands above everything. */
export function accessOf(customer: Customer, nowMs: number, pastDueGraceMs: number): Access {
  if (customer.suspendedAtMs !== null) return { allowed: false, code: 'customer_suspended' };
  if (customer.deletedAtMs !== null) return { allowed: false, code: 'subscription_inactive' };
  const decisions = customer.subscriptions.map((subscription) => decide(subscription, nowMs, pastDueGraceMs));
  const allowed = decisions.filter((decision) => decision.allowed);
  const paid = allowed.filter((decision) => decision.warning === null);
  const candidates = paid.length > 0 ? paid : allowed;
  const best = currentSubscription(candidates.map((decision) => decision.subscription));
  const access = candidates.find((decision) => decision.subscription === best);
  if (access) return access;
  const owing = decisions.some((decision) => !decision.allowed && decision.code === 'payment_required');
  return { allowed: false, code: owing ? 'payment_required' : 'subscription_inactive' };
}

function decide(subscription: Subscription, nowMs: number, pastDueGraceMs: number): Access {
  if (endOf(subscription) <= nowMs || subscription.closingAtMs !== null) {
    return { allowed: false, code: 'subscription_inactive' };
  }
  switch (subscription.status) {
    case 'trialing':
    case 'active':
      return { allowed: true, subscription, warning: null };
    case 'past_due': {
      const untilMs = (subscription.pastDueSinceMs ?? subscription.readAtMs) + pastDueGraceMs;
      if (nowMs < untilMs) return { allowed: true, subscription, warning: 'past_due', untilMs };
      return { allowed: false, code: 'payment_required' };
    }
    case 'unpaid':
      return { allowed: false, code: 'payment_required' };
    default:
      // canceled, incomplete, incomplete_expired, paused, and every word that Stripe may add later.
      return { allowed: false, code: 'subscription_inactive' };
  }
}
