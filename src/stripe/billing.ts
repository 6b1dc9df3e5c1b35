/** Everything that meterctl asks of Stripe, through one client. */

import type { Billing } from '../domain/billing.js';
import type { Clock } from '../lib/host.js';
import { createAccount } from './account.js';
import { createCheckoutSessions } from './checkout-sessions.js';
import { type ClientOptions, createClient } from './client.js';
import { createCustomers } from './customers.js';
import { createEventSummaries } from './event-summaries.js';
import { createEvents } from './events.js';
import { createInvoices } from './invoices.js';
import { createMeterEvents } from './meter-events.js';
import { createMeters } from './meters.js';
import { createPortal } from './portal.js';
import { createPrices } from './prices.js';
import { createProducts } from './products.js';
import { createSubscriptions } from './subscriptions.js';
import { createWebhookEndpoints } from './webhook-endpoints.js';

/**
 * Stripe at the given address. Nothing is sent before the first call. `meterId` tells our subscriptions from what else the
 * account sells; before `init` there is none, and no subscription is ours.
 */
export function createBilling(options: ClientOptions & { meterId: string | null }, clock: Clock): Billing {
  const stripe = createClient(options);
  return {
    ...createAccount(stripe),
    ...createMeters(stripe),
    ...createProducts(stripe),
    ...createPrices(stripe),
    ...createWebhookEndpoints(stripe),
    ...createPortal(stripe),
    ...createCustomers(stripe),
    ...createSubscriptions(stripe, options.meterId ?? '', clock),
    ...createCheckoutSessions(stripe),
    ...createInvoices(stripe, options.meterId ?? ''),
    ...createEvents(stripe),
    ...createMeterEvents(stripe),
    ...createEventSummaries(stripe, options.meterId ?? ''),
  };
}
