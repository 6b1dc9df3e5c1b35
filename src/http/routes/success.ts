/** `/success`: where the buyer lands after Checkout, and gets his key by pressing one button, once. */

import type { Request, RequestHandler, Response } from 'express';
import { provisionCheckout } from '../../customers/provision.js';
import type { CustomerBilling } from '../../domain/billing.js';
import { MeterctlError } from '../../domain/error.js';
import type { CheckoutStore, CustomerStore } from '../../domain/store.js';
import { prepareKey } from '../../keys/issue.js';
import type { Host } from '../../lib/host.js';
import { createTryLimit, type TryLimit } from '../../lib/try-limit.js';
import { clientAddress } from '../client-address.js';
import { type Site, sendPage } from '../pages/layout.js';
import { keyPage, type Progress, progressPage } from '../pages/success-page.js';
import { refuse } from '../refuse.js';

/** What the success page needs. */
export interface SuccessDeps {
  store: CustomerStore & CheckoutStore;
  billing: CustomerBilling;
  host: Host;
  /** What secrets begin with. */
  secretPrefix: string;
  offer: Site;
  /** Where `POST /checkout` leads a browser. */
  checkoutSources: readonly string[];
  baseUrl(): string;
}

const statuses: Record<Progress, number> = {
  ready: 200,
  claimed: 200,
  open: 200,
  settling: 200,
  failed: 200,
  duplicate: 200,
  expired: 410,
  unknown: 404,
  unavailable: 503,
};

/** Orders that one address may have looked up at Stripe: enough for a page that reloads itself, and for several buyers. */
const perAddress = { burst: 30, refillMs: 2_000, namesMax: 10_000 };

/** The page's two routes. */
export interface SuccessRoutes {
  /** `GET`: shows how far the order is. Looking never makes a key. */
  show: RequestHandler;
  /** `POST`: makes the key and shows it this once. */
  claim: RequestHandler;
}

/** Makes the routes. */
export function success(deps: SuccessDeps): SuccessRoutes {
  const limit = createTryLimit({ clock: deps.host.clock, ...perAddress });
  return {
    async show(req, res) {
      const sessionId = sessionIdOf(req.query);
      if (await mayLook(deps, limit, req, res, sessionId))
        showProgress(deps, res, await progressOf(deps, sessionId), sessionId);
    },
    async claim(req, res) {
      const sessionId = sessionIdOf(req.body);
      if (await mayLook(deps, limit, req, res, sessionId)) await claimKey(deps, res, sessionId);
    },
  };
}

/** What is known here costs nothing; everything else is asked of Stripe. Answers whoever asks too much. */
async function mayLook(
  { store, offer }: SuccessDeps,
  limit: TryLimit,
  req: Request,
  res: Response,
  sessionId: string,
): Promise<boolean> {
  if ((await store.findCheckout(sessionId))?.provisionedAtMs != null) return true;
  const address = clientAddress(req);
  const waitMs = limit.waitMs(address);
  limit.note(address);
  if (waitMs === 0) return true;
  const seconds = Math.ceil(waitMs / 1000);
  res.set({ 'Retry-After': String(seconds), Refresh: `${seconds}; url=/success?session_id=${sessionId}` });
  const detail = 'Too many orders are looked up from here. In a browser this page tries again by itself.';
  refuse(req, res, offer, 'rate_limited', detail);
  return false;
}

async function claimKey(deps: SuccessDeps, res: Response, sessionId: string): Promise<void> {
  const progress = await progressOf(deps, sessionId);
  if (progress !== 'ready') return showProgress(deps, res, progress, sessionId);
  const customerId = (await deps.store.findCheckout(sessionId))?.customerId;
  if (!customerId)
    throw new MeterctlError('internal', `The session ${sessionId} was provisioned for nobody.`);
  const { secret, row } = prepareKey(deps, { customerId, name: 'Checkout' });
  if ((await deps.store.claimCheckout(sessionId, row)) === 'taken')
    return showProgress(deps, res, 'claimed', sessionId);
  sendPage(res, deps.offer, 200, keyPage(secret, deps.baseUrl(), deps.offer));
}

function showProgress(deps: SuccessDeps, res: Response, progress: Progress, sessionId: string): void {
  // A buyer who came back before Stripe had settled is served by the page's own reload.
  if (progress === 'open' || progress === 'settling' || progress === 'unavailable')
    res.setHeader('Refresh', `5; url=/success?session_id=${sessionId}`);
  sendPage(res, deps.offer, statuses[progress], progressPage(progress, sessionId, deps.checkoutSources));
}

/** Asks Stripe when the webhook has not come yet. Stripe being down is a state of the page, not its end. */
async function progressOf(deps: SuccessDeps, sessionId: string): Promise<Progress> {
  try {
    return await provisionCheckout(deps, sessionId);
  } catch (error) {
    if (!(error instanceof MeterctlError) || (error.code !== 'unavailable' && error.code !== 'unauthorized'))
      throw error;
    deps.host.log.warn('a completed Checkout cannot be provisioned now', { reason: error.message });
    return 'unavailable';
  }
}

function sessionIdOf(input: unknown): string {
  const id =
    typeof input === 'object' && input !== null && 'session_id' in input ? input.session_id : undefined;
  if (typeof id === 'string' && /^cs_\w{1,200}$/.test(id)) return id;
  throw new MeterctlError('invalid', 'The address lacks the session_id that Stripe adds to it.');
}
