/** What `expand` can reach from the objects of billing. */

import type { Expansions } from '../expand.js';

/** Lines that an invoice shows by itself; `/v1/invoices/:id/lines` has all (stripe-facts 7). */
const linesShown = 10;

/** By object type; merged with the other folders' tables. */
export const billingExpansions: Expansions = {
  'billing_portal.session': { configuration: { to: 'portal_configuration' } },
  'checkout.session': {
    customer: { to: ['customer', 'deleted_customer'] },
    invoice: { to: 'invoice' },
    line_items: 'on_request',
    subscription: { to: 'subscription' },
    // Stored with the session, and never shown.
    settles_at: 'on_request',
    subscription_data: 'on_request',
  },
  invoice: {
    customer: { to: ['customer', 'deleted_customer'] },
    default_payment_method: { to: 'payment_method' },
    lines: { first: linesShown },
    subscription: { to: 'subscription' },
  },
  invoiceitem: { customer: { to: ['customer', 'deleted_customer'] }, invoice: { to: 'invoice' } },
  payment_method: { customer: { to: 'customer' } },
  plan: { product: { to: 'product' } },
  subscription: {
    customer: { to: ['customer', 'deleted_customer'] },
    default_payment_method: { to: 'payment_method' },
    latest_invoice: { to: 'invoice' },
    test_clock: { to: 'test_clock' },
  },
};
