/** `POST /checkout`: opens a Checkout session for whoever wants to subscribe. */

import type { RequestHandler } from 'express';
import type { CustomerBilling } from '../../domain/billing.js';
import { MeterctlError } from '../../domain/error.js';
import type { CheckoutStore } from '../../domain/store.js';
import type { Host } from '../../lib/host.js';

/** What Checkout needs. */
export interface CheckoutDeps {
  store: CheckoutStore;
  billing: CustomerBilling;
  host: Host;
  /** Stripe's id of the metered price. */
  priceId: string;
  baseUrl(): string;
}

/** Answers `{"id","url"}`, or sends a browser's form straight to Stripe's page. */
export function checkout(deps: CheckoutDeps): RequestHandler {
  return async function checkout(req, res) {
    const email = emailOf(req.body);
    const baseUrl = deps.baseUrl();
    const session = await deps.billing.addCheckoutSession(
      {
        priceId: deps.priceId,
        // Stripe puts the id in place of the literal braces (stripe-facts 5).
        successUrl: `${baseUrl}/success?session_id={CHECKOUT_SESSION_ID}`,
        cancelUrl: `${baseUrl}/error`,
        email,
      },
      deps.host.ids.next('checkout'),
    );
    if (session.url === null)
      throw new MeterctlError('unavailable', 'Stripe gave no address for its Checkout page.');
    await deps.store.recordCheckout(session.id, deps.host.clock.nowMs());
    if (req.accepts(['json', 'html']) === 'html') res.redirect(303, session.url);
    else res.json({ id: session.id, url: session.url });
  };
}

function emailOf(body: unknown): string | undefined {
  const email = typeof body === 'object' && body !== null && 'email' in body ? body.email : undefined;
  if (email === undefined || email === '') return undefined;
  if (typeof email === 'string' && email.length <= 254 && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
    return email;
  throw new MeterctlError('invalid', 'The email is not an e-mail address.');
}
