/** Checkout sessions for the metered price. */

import type Stripe from 'stripe';
import type { CustomerBilling, NewCheckoutSession } from '../domain/billing.js';
import type { CheckoutSession } from '../domain/checkout.js';
import { repeatable } from './client.js';
import { asking, finding } from './errors.js';

type CheckoutSessions = Pick<CustomerBilling, 'addCheckoutSession' | 'findCheckoutSession'>;

/** Sessions through this client. */
export function createCheckoutSessions(stripe: Stripe): CheckoutSessions {
  return {
    addCheckoutSession: (session, attempt) =>
      asking('open a Checkout session', async () =>
        sessionOf(
          await stripe.checkout.sessions.create(paramsOf(session), {
            idempotencyKey: attempt,
            ...repeatable,
          }),
        ),
      ),

    findCheckoutSession: (id) =>
      finding('read the Checkout session', async () =>
        sessionOf(await stripe.checkout.sessions.retrieve(id, {}, repeatable)),
      ),
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

function sessionOf(session: Stripe.Checkout.Session): CheckoutSession {
  return {
    id: session.id,
    url: session.url ?? null,
    status: (['complete', 'expired'] as const).find((status) => status === session.status) ?? 'open',
    paymentStatus: session.payment_status,
    customerId: idOf(session.customer),
    subscriptionId: idOf(session.subscription),
    email: session.customer_details?.email ?? session.customer_email ?? null,
  };
}

/** Where Stripe says `null`, a server that is only like it may say nothing. */
function idOf(reference: string | { id: string } | null | undefined): string | null {
  return typeof reference === 'object' ? (reference?.id ?? null) : (reference ?? null);
}
