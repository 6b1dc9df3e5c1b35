/** `POST /checkout`: opens a Checkout session for whoever wants to subscribe. */

import type { Request, RequestHandler, Response } from 'express';
import { syncCustomer } from '../../customers/sync.js';
import type { CustomerBilling } from '../../domain/billing.js';
import type { Customer } from '../../domain/customer.js';
import { MeterctlError } from '../../domain/error.js';
import type { CheckoutStore, CustomerStore } from '../../domain/store.js';
import { isLive } from '../../domain/subscription.js';
import type { Host } from '../../lib/host.js';
import { createTryLimit } from '../../lib/try-limit.js';
import { type AuthenticateDeps, authenticate } from '../authenticate.js';
import { clientAddress } from '../client-address.js';
import type { Site } from '../pages/layout.js';
import { presentedKey } from '../presented-key.js';
import { type Refusal, sendProblem } from '../problem.js';
import { refuse, wantsPage } from '../refuse.js';
import { portalScope } from './portal-session.js';

/** What opening a session needs. */
interface OpenCheckoutDeps {
  store: CheckoutStore & CustomerStore;
  billing: CustomerBilling;
  host: Host;
  /** Stripe's id of the metered price. */
  priceId: string;
  baseUrl(): string;
}

/** What Checkout needs. */
export type CheckoutDeps = OpenCheckoutDeps & AuthenticateDeps & { offer: Site };

/** Sessions that one address may open: ten at once, and ten a minute. Each costs a call of Stripe's. */
const perAddress = { burst: 10, refillMs: 6_000, namesMax: 10_000 };

/** Answers `{"id","url"}`, or sends a browser's form straight to Stripe's page. */
export function checkout(deps: CheckoutDeps): RequestHandler {
  const limit = createTryLimit({ clock: deps.host.clock, ...perAddress });
  return async function checkout(req, res) {
    const address = clientAddress(req);
    const waitMs = limit.waitMs(address);
    if (waitMs > 0) {
      res.set('Retry-After', String(Math.ceil(waitMs / 1000)));
      return refuse(req, res, deps.offer, 'rate_limited', 'Too many orders from here. Please wait a minute.');
    }
    limit.note(address);
    const email = emailOf(req.body);
    const buyer = await buyerOf(req, deps);
    if (buyer && 'refused' in buyer) return refuse(req, res, deps.offer, buyer.refused, buyer.detail);
    const session = await openCheckout(deps, buyer ? { customerId: buyer.id } : { email });
    if (session === 'subscribed') return leadToPortal(req, res, deps.baseUrl());
    if (wantsPage(req)) res.redirect(303, session.url);
    else res.json(session);
  };
}

/** Of a buyer at most one thing is known. */
interface Buyer {
  email?: string | undefined;
  customerId?: string;
}

/** An open session; `subscribed` when the customer has a live subscription: Stripe would bill the same usage on both. */
type Opened = { id: string; url: string } | 'subscribed';

/** Opens the session. Throws `unavailable`, in words for the buyer, whatever is wrong between the operator and Stripe. */
export async function openCheckout(deps: OpenCheckoutDeps, buyer: Buyer): Promise<Opened> {
  try {
    return await openSession(deps, buyer);
  } catch (error) {
    if (!(error instanceof MeterctlError) || error.code === 'internal') throw error;
    deps.host.log.warn('a buyer cannot be led to Stripe', { code: error.code, reason: error.message });
    throw new MeterctlError(
      'unavailable',
      'Stripe’s page cannot be opened right now. Nothing was charged. Please try again in a moment.',
    );
  }
}

async function openSession(deps: OpenCheckoutDeps, buyer: Buyer): Promise<Opened> {
  const { store, billing, host } = deps;
  if (buyer.customerId !== undefined) {
    // What is known here may be late, and this is where a double subscription can still be avoided.
    const { subscriptions } = await syncCustomer(deps, buyer.customerId);
    if (subscriptions.some(isLive)) return 'subscribed';
  }
  const baseUrl = deps.baseUrl();
  const { id, url } = await billing.addCheckoutSession(
    {
      priceId: deps.priceId,
      // Stripe puts the id in place of the literal braces (stripe-facts 5).
      successUrl: `${baseUrl}/success?session_id={CHECKOUT_SESSION_ID}`,
      cancelUrl: `${baseUrl}/error`,
      ...buyer,
    },
    host.ids.next('checkout'),
  );
  if (url === null) throw new MeterctlError('unavailable', 'Stripe gave no address for its Checkout page.');
  await store.recordCheckout(id, host.clock.nowMs());
  return { id, url };
}

/**
 * The customer whose key is presented: only he buys as the customer that he is. An e-mail address proves nothing. Stripe's
 * page would show whoever typed it the account behind it, so it only fills in the form, and Stripe makes a new customer.
 */
async function buyerOf(req: Request, deps: CheckoutDeps): Promise<Customer | Refusal | undefined> {
  if (presentedKey(req, deps.queryParameter) === undefined) return undefined;
  const caller = await authenticate(req, deps, deps.host.clock.nowMs(), portalScope);
  if ('refused' in caller) return caller;
  const { customer } = caller;
  if (customer.suspendedAtMs !== null)
    return { refused: 'customer_suspended', detail: 'The operator has suspended this customer.' };
  return customer.deletedAtMs === null ? customer : undefined;
}

function leadToPortal(req: Request, res: Response, baseUrl: string): void {
  const portalUrl = `${baseUrl}/portal`;
  const detail = 'This customer is subscribed. See portal_url to change the subscription.';
  if (wantsPage(req)) res.redirect(303, portalUrl);
  else sendProblem(res, 'already_subscribed', detail, { portal_url: portalUrl });
}

function emailOf(body: unknown): string | undefined {
  const email = typeof body === 'object' && body !== null && 'email' in body ? body.email : undefined;
  if (email === undefined || email === '') return undefined;
  if (typeof email === 'string' && email.length <= 254 && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
    return email;
  throw new MeterctlError('invalid', 'The email is not an e-mail address.');
}
