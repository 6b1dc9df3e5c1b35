/** The account behind the key. */

import Stripe from 'stripe';
import type { CatalogBilling } from '../domain/billing.js';
import { repeatable } from './client.js';
import { isForbidden, translate } from './errors.js';

/** The account through this client. */
export function createAccount(stripe: Stripe): Pick<CatalogBilling, 'findAccountId'> {
  return {
    async findAccountId() {
      try {
        return (await stripe.accounts.retrieveCurrent({}, repeatable)).id;
      } catch (error) {
        // A restricted key may not ask, and not every implementation answers: the meter's id tells accounts apart too.
        if (error instanceof Stripe.errors.StripeInvalidRequestError || isForbidden(error)) return undefined;
        throw translate(error, 'read the account');
      }
    },
  };
}
