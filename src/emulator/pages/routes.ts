/** Every hosted page, in one list. */

import type { PageRoute } from '../page-route.js';
import { checkoutPageRoutes } from './checkout-routes.js';
import { invoicePageRoutes } from './invoice-page.js';
import { portalPageRoutes } from './portal-routes.js';

/** Checkout, the customer portal, invoices. */
export const pageRoutes: readonly PageRoute[] = [
  ...checkoutPageRoutes,
  ...invoicePageRoutes,
  ...portalPageRoutes,
];
