/** Customers. */

import type Stripe from 'stripe';
import type { CustomerBilling } from '../domain/billing.js';
import type { StripeCustomer } from '../domain/customer.js';
import { repeatable } from './client.js';
import { asking, finding } from './errors.js';

type Customers = Pick<CustomerBilling, 'findCustomer' | 'addCustomer'>;

/** Customers through this client. */
export function createCustomers(stripe: Stripe): Customers {
  return {
    findCustomer: (id) =>
      finding('read the customer', async () =>
        customerOf(await stripe.customers.retrieve(id, {}, repeatable)),
      ),

    addCustomer: ({ email, name }, attempt) =>
      asking('create the customer', async () =>
        customerOf(
          await stripe.customers.create(
            { email, ...(name === null ? {} : { name }) },
            { idempotencyKey: attempt, ...repeatable },
          ),
        ),
      ),
  };
}

/** Throws for what has no id: under none, everybody's subscriptions would be asked for. */
function customerOf(customer: Stripe.Customer | Stripe.DeletedCustomer): StripeCustomer {
  if (typeof customer.id !== 'string') throw new TypeError('This is no customer.');
  if (customer.deleted) return { id: customer.id, email: null, name: null, createdAtMs: 0, deleted: true };
  return {
    id: customer.id,
    email: customer.email ?? null,
    name: customer.name ?? null,
    createdAtMs: customer.created * 1000,
    deleted: false,
  };
}
