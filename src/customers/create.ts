/** Creates a customer in Stripe and here, subscribed at once if asked. */

import type { CustomerBilling } from '../domain/billing.js';
import type { Customer } from '../domain/customer.js';
import type { CustomerStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import { syncCustomer } from './sync.js';

/** What is known of a new customer. */
export interface CustomerOrder {
  email: string;
  name: string | null;
  /** Subscribes to this price at once, with invoices by mail; `null` leaves it to Checkout. */
  subscribeTo: string | null;
}

/** Creates the customer. Throws what Stripe refuses. */
export async function createCustomer(
  deps: { store: CustomerStore; billing: CustomerBilling; host: Host },
  order: CustomerOrder,
): Promise<Customer> {
  const attempt = deps.host.ids.next('attempt');
  const { id } = await deps.billing.addCustomer(
    { email: order.email, name: order.name },
    `${attempt}:customer`,
  );
  if (order.subscribeTo === null) return syncCustomer(deps, id);
  const subscription = await deps.billing.addSubscription(id, order.subscribeTo, `${attempt}:subscription`);
  // Named, because Stripe's list of his subscriptions may not show it yet.
  return syncCustomer(deps, id, subscription.id);
}
