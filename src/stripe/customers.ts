/** Customers, their subscriptions, Checkout, the portal and the coming invoice. */

import Stripe from 'stripe';
import type { CustomerBilling, NewCheckoutSession } from '../domain/billing.js';
import type { CheckoutSession } from '../domain/checkout.js';
import type { StripeCustomer } from '../domain/customer.js';
import { MeterctlError } from '../domain/error.js';
import type { Subscription } from '../domain/subscription.js';
import type { Clock } from '../lib/host.js';
import { asking, finding, isMissing, translate } from './errors.js';
import { previewOf } from './invoices.js';
import { subscriptionOf } from './subscriptions.js';

/** Repeating a read, or a create under the same Idempotency-Key, is harmless. */
const maxNetworkRetries = 2;

/** Invoices by mail give so long to pay. */
const daysUntilDue = 30;

/** Customers through this client; only subscriptions billed by the meter are seen. */
export function createCustomers(stripe: Stripe, meterId: string, clock: Clock): CustomerBilling {
  return {
    findCustomer: (id) =>
      finding('read the customer', async () =>
        customerOf(await stripe.customers.retrieve(id, {}, { maxNetworkRetries })),
      ),

    findCustomerByEmail: (email) =>
      asking('look the customer up', async () => {
        const found = await stripe.customers.list({ email, limit: 1 }, { maxNetworkRetries });
        return found.data[0] ? customerOf(found.data[0]) : undefined;
      }),

    addCustomer: ({ email, name }, attempt) =>
      asking('create the customer', async () =>
        customerOf(
          await stripe.customers.create(
            { email, ...(name === null ? {} : { name }) },
            { idempotencyKey: attempt, maxNetworkRetries },
          ),
        ),
      ),

    addSubscription: (customerId, priceId, attempt) =>
      asking('subscribe the customer', async () => {
        const readAtMs = clock.nowMs();
        const created = await stripe.subscriptions.create(
          {
            customer: customerId,
            items: [{ price: priceId }],
            collection_method: 'send_invoice',
            days_until_due: daysUntilDue,
          },
          { idempotencyKey: attempt, maxNetworkRetries },
        );
        const subscription = subscriptionOf(created, meterId, readAtMs);
        if (subscription) return subscription;
        throw new MeterctlError('conflict', `The price ${priceId} is not billed by the meter ${meterId}.`);
      }),

    findSubscription: (id) =>
      finding('read the subscription', async () => {
        const readAtMs = clock.nowMs();
        return subscriptionOf(
          await stripe.subscriptions.retrieve(id, {}, { maxNetworkRetries }),
          meterId,
          readAtMs,
        );
      }),

    listSubscriptions: (customerId) =>
      asking('list the subscriptions', async () => {
        const readAtMs = clock.nowMs();
        const found: Subscription[] = [];
        const list = stripe.subscriptions.list(
          { customer: customerId, status: 'all', limit: 100 },
          { maxNetworkRetries },
        );
        for await (const subscription of list) {
          const read = subscriptionOf(subscription, meterId, readAtMs);
          if (read) found.push(read);
        }
        return found;
      }),

    addCheckoutSession: (session, attempt) =>
      asking('open a Checkout session', async () =>
        sessionOf(
          await stripe.checkout.sessions.create(paramsOf(session), {
            idempotencyKey: attempt,
            maxNetworkRetries,
          }),
        ),
      ),

    findCheckoutSession: (id) =>
      finding('read the Checkout session', async () =>
        sessionOf(await stripe.checkout.sessions.retrieve(id, {}, { maxNetworkRetries })),
      ),

    addPortalSession: (customerId, returnUrl) =>
      asking('open the billing portal', async () => {
        const { url } = await stripe.billingPortal.sessions.create({
          customer: customerId,
          return_url: returnUrl,
        });
        return url;
      }),

    async findComingInvoice(customerId, subscriptionId) {
      try {
        return previewOf(
          await stripe.invoices.createPreview({ subscription: subscriptionId }),
          customerId,
          subscriptionId,
        );
      } catch (error) {
        if (error instanceof Stripe.errors.StripeError && error.code === 'invoice_upcoming_none')
          return undefined;
        if (isMissing(error)) return undefined;
        throw translate(error, 'compute the coming invoice');
      }
    },
  };
}

/** No quantity on a metered price, and the metadata on both, because Stripe copies none (stripe-facts 5). */
function paramsOf(session: NewCheckoutSession): Stripe.Checkout.SessionCreateParams {
  const metadata = { created_by: 'meterctl' };
  return {
    mode: 'subscription',
    line_items: [{ price: session.priceId }],
    success_url: session.successUrl,
    cancel_url: session.cancelUrl,
    payment_method_collection: 'always',
    metadata,
    subscription_data: { metadata },
    ...(session.customerId ? { customer: session.customerId } : {}),
    ...(session.email && !session.customerId ? { customer_email: session.email } : {}),
  };
}

function customerOf(customer: Stripe.Customer | Stripe.DeletedCustomer): StripeCustomer {
  if (customer.deleted) return { id: customer.id, email: null, name: null, createdAtMs: 0, deleted: true };
  return {
    id: customer.id,
    email: customer.email,
    name: customer.name ?? null,
    createdAtMs: customer.created * 1000,
    deleted: false,
  };
}

function sessionOf(session: Stripe.Checkout.Session): CheckoutSession {
  return {
    id: session.id,
    url: session.url,
    status: (['complete', 'expired'] as const).find((status) => status === session.status) ?? 'open',
    paymentStatus: session.payment_status,
    customerId: idOf(session.customer),
    subscriptionId: idOf(session.subscription),
    email: session.customer_details?.email ?? session.customer_email,
  };
}

function idOf(reference: string | { id: string } | null): string | null {
  return reference === null || typeof reference === 'string' ? reference : reference.id;
}
