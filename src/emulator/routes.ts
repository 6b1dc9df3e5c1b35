/** Every route of the emulator, in one list. */

import { accountRoutes } from './catalog/account-route.js';
import { customerRoutes } from './catalog/customers.js';
import { priceRoutes } from './catalog/prices.js';
import { productRoutes } from './catalog/products.js';
import type { Expansions } from './expand.js';
import { meterRoutes } from './meters/meters.js';
import type { PageRoute } from './page-route.js';
import type { Route } from './router.js';

/** Everything under `/v1` and `/v2`. */
export const apiRoutes: readonly Route[] = [
  ...accountRoutes,
  ...customerRoutes,
  ...meterRoutes,
  ...priceRoutes,
  ...productRoutes,
];

/** The pages for people. */
export const pageRoutes: readonly PageRoute[] = [];

/** What `expand` can reach, by object type. */
export const apiExpansions: Expansions = {
  price: { product: { to: 'product' }, tiers: 'on_request' },
  product: { default_price: { to: 'price' } },
};
