/** `POST /checkout`: opens a Checkout session for whoever wants to subscribe. */

import type { RequestHandler } from 'express';
import type { CustomerBilling } from '../../domain/billing.js';
import { MeterctlError } from '../../domain/error.js';
import type { CheckoutStore } from '../../domain/store.js';
import type { Host } from '../../lib/host.js';
import { wantsPage } from '../refuse.js';

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
    const session = await openCheckout(deps, { email: emailOf(req.body) });
    if (wantsPage(req)) res.redirect(303, session.url);
    else res.json(session);
  };
}

/** Opens the session for somebody of whom at most one thing is known. */
export async function openCheckout(
  deps: CheckoutDeps,
  buyer: { email?: string | undefined; customerId?: string },
): Promise<{ id: string; url: string }> {
  const baseUrl = deps.baseUrl();
  const { id, url } = await deps.billing.addCheckoutSession(
    {
      priceId: deps.priceId,
      // Stripe puts the id in place of the literal braces (stripe-facts 5).
      successUrl: `${baseUrl}/success?session_id={CHECKOUT_SESSION_ID}`,
      cancelUrl: `${baseUrl}/error`,
      ...buyer,
    },
    deps.host.ids.next('checkout'),
  );
  if (url === null) throw new MeterctlError('unavailable', 'Stripe gave no address for its Checkout page.');
  await deps.store.recordCheckout(id, deps.host.clock.nowMs());
  return { id, url };
}

function emailOf(body: unknown): string | undefined {
  const email = typeof body === 'object' && body !== null && 'email' in body ? body.email : undefined;
  if (email === undefined || email === '') return undefined;
  if (typeof email === 'string' && email.length <= 254 && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
    return email;
  throw new MeterctlError('invalid', 'The email is not an e-mail address.');
}
