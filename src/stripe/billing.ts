/** Everything that meterctl asks of Stripe, through one client. */

import type { Billing } from '../domain/billing.js';
import type { Clock } from '../lib/host.js';
import { createCatalog } from './catalog.js';
import { type ClientOptions, createClient } from './client.js';
import { createCustomers } from './customers.js';
import { createEvents } from './events.js';
import { createMeterEvents } from './meter-events.js';

/**
 * Stripe at the given address. Nothing is sent before the first call. `meterId` tells our subscriptions from what else the
 * account sells; before `init` there is none, and no subscription is ours.
 */
export function createBilling(options: ClientOptions & { meterId: string | null }, clock: Clock): Billing {
  const stripe = createClient(options);
  return {
    ...createCatalog(stripe),
    ...createCustomers(stripe, options.meterId ?? '', clock),
    ...createEvents(stripe),
    ...createMeterEvents(stripe),
  };
}
