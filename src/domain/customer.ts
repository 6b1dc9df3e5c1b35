/** A Stripe customer that may use the paid API. */

import { currentSubscription, type Period, periodAt, type Subscription } from './subscription.js';

/** A customer with the subscriptions that are known here. */
export interface Customer {
  /** The number that the storage engine gave; never leaves the program. */
  no: number;
  /** Stripe's id, `cus_…`. */
  id: string;
  email: string | null;
  name: string | null;
  createdAtMs: number;
  /** Set while the operator has suspended the customer. */
  suspendedAtMs: number | null;
  /** Set once Stripe said that the customer was deleted. */
  deletedAtMs: number | null;
  /** How many readings of Stripe are stored: a reading is written only over the one that it follows. */
  readings: number;
  subscriptions: Subscription[];
}

/** The billing period of the customer at a time; `undefined` for one who was never subscribed. */
export function billingPeriodOf(customer: Customer, atMs: number): Period | undefined {
  const subscription = currentSubscription(customer.subscriptions);
  return subscription ? periodAt(subscription, atMs) : undefined;
}

/** A customer as Stripe tells it. */
export interface StripeCustomer {
  id: string;
  email: string | null;
  name: string | null;
  createdAtMs: number;
  deleted: boolean;
}

/** All that Stripe told about a customer at one go. */
export interface CustomerReading {
  customer: StripeCustomer;
  /** Every subscription that is known to be on our meter. */
  subscriptions: Subscription[];
  /** The customer's `readings` when Stripe was asked, 0 for one who was unknown: whatever was stored since is newer. */
  follows: number;
}
