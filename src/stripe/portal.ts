/** Stripe's own billing portal: its configuration, and links into it. */

import type Stripe from 'stripe';
import type { CatalogBilling, CustomerBilling } from '../domain/billing.js';
import { repeatable } from './client.js';
import { asking } from './errors.js';

type Portal = Pick<CatalogBilling, 'findPortalConfiguration' | 'addPortalConfiguration'> &
  Pick<CustomerBilling, 'addPortalSession'>;

/** The portal through this client. */
export function createPortal(stripe: Stripe): Portal {
  return {
    findPortalConfiguration: () =>
      asking('list the portal configurations', async () => {
        const found = await stripe.billingPortal.configurations.list({ active: true, limit: 1 }, repeatable);
        return found.data[0]?.id;
      }),

    addPortalConfiguration: (attempt) =>
      asking('create the portal configuration', async () => {
        const { id } = await stripe.billingPortal.configurations.create(
          {
            features: {
              invoice_history: { enabled: true },
              payment_method_update: { enabled: true },
              customer_update: { enabled: true, allowed_updates: ['email', 'address', 'tax_id'] },
              subscription_cancel: { enabled: true, mode: 'at_period_end' },
            },
          },
          { idempotencyKey: attempt, ...repeatable },
        );
        return id;
      }),

    addPortalSession: (customerId, returnUrl) =>
      asking('open the billing portal', async () => {
        const { url } = await stripe.billingPortal.sessions.create({
          customer: customerId,
          return_url: returnUrl,
        });
        return url;
      }),
  };
}
