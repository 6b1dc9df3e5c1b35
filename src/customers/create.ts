/** Creates a customer in Stripe and here, subscribed at once if asked. */

import type { CustomerBilling } from '../domain/billing.js';
import type { Customer } from '../domain/customer.js';
import { MeterctlError } from '../domain/error.js';
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

/** Creates the customer. Throws what Stripe refuses; once he is there, with a hint that names him. */
export async function createCustomer(
  deps: { store: CustomerStore; billing: CustomerBilling; host: Host },
  order: CustomerOrder,
): Promise<Customer> {
  const attempt = deps.host.ids.next('attempt');
  const { id } = await deps.billing.addCustomer(
    { email: order.email, name: order.name },
    `${attempt}:customer`,
  );
  try {
    if (order.subscribeTo === null) return await syncCustomer(deps, id);
    const added = await deps.billing.addSubscription(id, order.subscribeTo, `${attempt}:subscription`);
    // Named, because Stripe's list of his subscriptions may not show it yet.
    return await syncCustomer(deps, id, added.id);
  } catch (error) {
    if (!(error instanceof MeterctlError)) throw error;
    // Whoever runs it again would make another one.
    throw new MeterctlError(error.code, error.message, {
      hint: `Stripe has the customer ${id} already. Look at him in the Dashboard, then: meterctl customers import ${id}`,
      cause: error,
    });
  }
}
