/** Brings a customer here up to what Stripe says now. Events and people only say that it is time to ask. */

import type { CustomerBilling } from '../domain/billing.js';
import type { Customer } from '../domain/customer.js';
import { MeterctlError } from '../domain/error.js';
import type { CustomerStore } from '../domain/store.js';

interface SyncDeps {
  store: CustomerStore;
  billing: CustomerBilling;
}

/** Asks Stripe and stores the customer with all subscriptions on our meter. Throws `not_found` when Stripe has none such. */
export async function syncCustomer(deps: SyncDeps, customerId: string): Promise<Customer> {
  const customer = await deps.billing.findCustomer(customerId);
  if (!customer) throw new MeterctlError('not_found', `Stripe has no customer ${customerId}.`);
  const subscriptions = customer.deleted ? [] : await deps.billing.listSubscriptions(customerId);
  await deps.store.recordCustomer(customer);
  for (const subscription of subscriptions) await deps.store.recordSubscription(subscription);
  const stored = await deps.store.findCustomer(customerId);
  if (!stored)
    throw new MeterctlError('internal', `The customer ${customerId} was stored, but is not there.`);
  return stored;
}

/**
 * Syncs a customer that an event names. One who is unknown here is adopted when he has a subscription on our meter, and
 * ignored otherwise: the account may have other business. Returns what was done.
 */
export async function syncNamedCustomer(deps: SyncDeps, customerId: string): Promise<'synced' | 'ignored'> {
  const known = await deps.store.findCustomer(customerId);
  if (!known) {
    const customer = await deps.billing.findCustomer(customerId);
    if (!customer || customer.deleted) return 'ignored';
    if ((await deps.billing.listSubscriptions(customerId)).length === 0) return 'ignored';
  }
  await syncCustomer(deps, customerId);
  return 'synced';
}
