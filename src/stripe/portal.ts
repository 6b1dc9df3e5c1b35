/** Stripe's own billing portal: its configuration, and links into it. */

import type Stripe from 'stripe';
import type { CatalogBilling, CustomerBilling } from '../domain/billing.js';
import { repeatable } from './client.js';
import { asking, finding, isForbidden } from './errors.js';

type Portal = Pick<CatalogBilling, 'findPortalConfiguration' | 'addPortalConfiguration'> &
  Pick<CustomerBilling, 'addPortalSession'>;

/** The portal through this client. */
export function createPortal(stripe: Stripe): Portal {
  return {
    findPortalConfiguration: (madeIds) =>
      asking('list the portal configurations', async () => {
        const listed = await findConfiguration(stripe);
        if (listed !== undefined) return listed;
        for (const id of madeIds) {
          const made = await finding('read a portal configuration', () =>
            stripe.billingPortal.configurations.retrieve(id, {}, repeatable),
          );
          if (made?.active) return made.id;
        }
        return undefined;
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
        const configuration = await configurationToUse(stripe);
        const { url } = await stripe.billingPortal.sessions.create({
          customer: customerId,
          return_url: returnUrl,
          ...(configuration === undefined ? {} : { configuration }),
        });
        return url;
      }),
  };
}

/** The one that the operator manages in the Dashboard, or else the newest. */
async function findConfiguration(stripe: Stripe): Promise<string | undefined> {
  const { data } = await stripe.billingPortal.configurations.list({ active: true, limit: 100 }, repeatable);
  return (data.find((configuration) => configuration.is_default) ?? data[0])?.id;
}

/**
 * A session that names no configuration takes the account's default, and only the Dashboard makes one of those: what was made
 * through the API has to be named (Stripe: billing_portal/sessions). A key that may not look leaves it to the default.
 */
async function configurationToUse(stripe: Stripe): Promise<string | undefined> {
  try {
    return await findConfiguration(stripe);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}
