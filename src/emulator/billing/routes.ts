/** Every route of billing, in one list. */

import type { Route } from '../router.js';
import { checkoutRoutes } from './checkout-routes.js';
import { invoiceItemRoutes } from './invoice-item-routes.js';
import { invoiceRoutes } from './invoice-routes.js';
import { paymentMethodRoutes } from './payment-method-routes.js';
import { portalRoutes } from './portal-routes.js';
import { subscriptionItemRoutes } from './subscription-item-routes.js';
import { subscriptionRoutes } from './subscription-routes.js';
import { timeRoutes } from './time-routes.js';

/** Subscriptions, invoices, payment methods, Checkout, the portal and time. */
export const billingRoutes: readonly Route[] = [
  ...checkoutRoutes,
  ...invoiceItemRoutes,
  ...invoiceRoutes,
  ...paymentMethodRoutes,
  ...portalRoutes,
  ...subscriptionItemRoutes,
  ...subscriptionRoutes,
  ...timeRoutes,
];
