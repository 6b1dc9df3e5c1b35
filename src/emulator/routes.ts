/** Every route of the emulator, in one list. */

import { billingExpansions } from './billing/expansions.js';
import { billingRoutes } from './billing/routes.js';
import { accountRoutes } from './catalog/account-route.js';
import { customerRoutes } from './catalog/customers.js';
import { priceRoutes } from './catalog/prices.js';
import { productRoutes } from './catalog/products.js';
import { eventDestinationRoutes } from './events/event-destinations.js';
import { eventRoutes } from './events/events.js';
import { v2EventRoutes } from './events/v2-events.js';
import { webhookEndpointRoutes } from './events/webhook-endpoints.js';
import type { Expansions } from './expand.js';
import { eventSummaryRoutes } from './meters/event-summaries.js';
import { meterEventSessionRoutes } from './meters/meter-event-session.js';
import { meterEventRoutes } from './meters/meter-events.js';
import { meterRoutes } from './meters/meters.js';
import { v2MeterEventRoutes } from './meters/v2-meter-events.js';
import type { Route } from './router.js';

/** Everything under `/v1` and `/v2`. */
export const apiRoutes: readonly Route[] = [
  ...accountRoutes,
  ...billingRoutes,
  ...customerRoutes,
  ...eventDestinationRoutes,
  ...eventRoutes,
  ...eventSummaryRoutes,
  ...meterEventRoutes,
  ...meterEventSessionRoutes,
  ...meterRoutes,
  ...priceRoutes,
  ...productRoutes,
  ...v2EventRoutes,
  ...v2MeterEventRoutes,
  ...webhookEndpointRoutes,
];

/** What `expand` can reach, by object type. */
export const apiExpansions: Expansions = {
  price: { product: { to: 'product' }, tiers: 'on_request' },
  product: { default_price: { to: 'price' } },
  ...billingExpansions,
};
