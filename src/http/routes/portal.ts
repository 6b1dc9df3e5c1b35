/** `/portal`: the customer's own page, and the ways from it to Stripe's. */

import express, { type RequestHandler, type Response, Router } from 'express';
import { accessOf } from '../../access/access.js';
import type { CustomerBilling } from '../../domain/billing.js';
import { MeterctlError } from '../../domain/error.js';
import type { CheckoutStore } from '../../domain/store.js';
import { sameOrigin } from '../middleware/same-origin.js';
import { backPage } from '../pages/back-page.js';
import { sendPage } from '../pages/layout.js';
import { portalPage } from '../pages/portal-page.js';
import { refuse } from '../refuse.js';
import { openCheckout } from './checkout.js';
import {
  askToReplace,
  askToRevoke,
  makeKey,
  type PortalKeysDeps,
  replaceKey,
  revokeKey,
} from './portal-keys.js';
import { type Caller, type CallerHandler, signedIn, signIn, signOut } from './portal-session.js';
import { type PortalViewDeps, portalView } from './portal-view.js';

/** What the portal needs. */
export type PortalDeps = PortalViewDeps &
  PortalKeysDeps & { store: CheckoutStore; billing: CustomerBilling; priceId: string };

/** Every route below `/portal`. */
export function portal(deps: PortalDeps): Router {
  const router = Router();
  router.use(sameOrigin(deps), express.urlencoded({ extended: false, limit: '16kb' }));
  router.get('/', signedIn(deps, show(deps)));
  router.get('/back', comeBack(deps));
  router.post('/sign-in', signIn(deps));
  router.post('/sign-out', signedIn(deps, signOut(deps)));
  router.get('/billing', signedIn(deps, openBillingPortal(deps)));
  router.post('/subscribe', signedIn(deps, subscribe(deps)));
  router.post(
    '/keys',
    signedIn(
      deps,
      makeKey(deps, (caller, res, { name, error }) => sendPortal(deps, caller, res, 400, { name, error })),
    ),
  );
  router.get('/keys/:id/replace', signedIn(deps, askToReplace(deps)));
  router.post('/keys/:id/replace', signedIn(deps, replaceKey(deps)));
  router.get('/keys/:id/revoke', signedIn(deps, askToRevoke(deps)));
  router.post('/keys/:id/revoke', signedIn(deps, revokeKey(deps)));
  // Who loads the address of a form's answer again is led to the page with the form.
  router.get(['/sign-in', '/sign-out', '/subscribe', '/keys'], (_req, res) => res.redirect(303, '/portal'));
  return router;
}

function show(deps: PortalDeps): CallerHandler {
  return (caller, req, res) =>
    sendPortal(deps, caller, res, 200, req.query.done === 'revoked' ? { done: 'The key is revoked.' } : {});
}

async function sendPortal(
  deps: PortalDeps,
  caller: Caller,
  res: Response,
  status: number,
  { done, name = '', error }: { done?: string; name?: string; error?: string },
): Promise<void> {
  const order = Buffer.from(deps.host.random.bytes(12)).toString('base64url');
  const page = portalPage({
    ...(await portalView(deps, caller)),
    draft: { order, name, error },
    notice: done === undefined ? undefined : { text: done, tone: 'good' },
  });
  sendPage(res, deps.offer, status, page);
}

/**
 * `GET /portal/billing`: on to Stripe's own page. A link and no form, so that it may lead to whatever address Stripe gives.
 */
function openBillingPortal(deps: PortalDeps): CallerHandler {
  return async ({ customer }, req, res) => {
    try {
      res.redirect(303, await deps.billing.addPortalSession(customer.id, `${deps.baseUrl()}/portal/back`));
    } catch (error) {
      if (!(error instanceof MeterctlError) || error.code === 'internal') throw error;
      deps.host.log.warn('Stripe’s billing portal cannot be opened', { reason: error.message });
      const detail = 'Stripe’s billing page cannot be opened right now. Please try again later.';
      refuse(req, res, deps.offer, 'unavailable', detail);
    }
  };
}

/**
 * `GET /portal/back`: where Stripe leads back to. A strict cookie is not sent when another site leads here, so this page
 * leads on by itself: from then on it is our own site that does.
 */
function comeBack(deps: PortalDeps): RequestHandler {
  return function comeBack(_req, res) {
    res.set('Refresh', '0; url=/portal');
    sendPage(res, deps.offer, 200, backPage);
  };
}

/** `POST /portal/subscribe`: Checkout for the customer who is here already, so that his keys work again afterwards. */
function subscribe(deps: PortalDeps): CallerHandler {
  return async ({ customer }, _req, res) => {
    const access = accessOf(customer, deps.host.clock.nowMs(), deps.pastDueGraceMs);
    const may = !access.allowed && access.code === 'subscription_inactive';
    const session = may ? await openCheckout(deps, { customerId: customer.id }) : 'subscribed';
    res.redirect(303, session === 'subscribed' ? '/portal' : session.url);
  };
}
