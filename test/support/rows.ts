/** Rows for tests: a plain one, with what a test cares about put over it. */

import type { Customer } from '../../src/domain/customer.js';
import type { Subscription } from '../../src/domain/subscription.js';

/** An active monthly subscription that began on 1 June 2026. */
export function createSubscription(over: Partial<Subscription> = {}): Subscription {
  const startMs = Date.UTC(2026, 5, 1);
  return {
    id: 'sub_1',
    customerId: 'cus_1',
    status: 'active',
    priceId: 'price_1',
    itemId: 'si_1',
    period: { startMs, endMs: Date.UTC(2026, 6, 1) },
    interval: 'month',
    intervalCount: 1,
    anchorMs: startMs,
    cancelAtMs: null,
    cancelAtPeriodEnd: false,
    endedAtMs: null,
    pastDueSinceMs: null,
    createdAtMs: startMs,
    readAtMs: startMs,
    closingAtMs: null,
    ...over,
  };
}

/** A customer without a subscription. */
export function createCustomer(over: Partial<Customer> = {}): Customer {
  return {
    no: 1,
    id: 'cus_1',
    email: 'ada@example.com',
    name: null,
    createdAtMs: 0,
    suspendedAtMs: null,
    deletedAtMs: null,
    readings: 1,
    subscriptions: [],
    ...over,
  };
}
