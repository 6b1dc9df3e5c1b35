/** The customer's keys in the portal: make one, replace or revoke one of his own. */

import type { Request, Response } from 'express';
import type { Actor } from '../../domain/audit.js';
import { MeterctlError } from '../../domain/error.js';
import type { ApiKey } from '../../domain/key.js';
import { issueKey } from '../../keys/issue.js';
import { type RotateDeps, rotateKey } from '../../keys/rotate.js';
import { createBoundedCache } from '../../lib/bounded-cache.js';
import { fieldOf } from '../form-field.js';
import { sendPage } from '../pages/layout.js';
import { keyMadePage, lifetimes, newKeyPage, replacePage, revokePage } from '../pages/portal-keys.js';
import { signInPage } from '../pages/sign-in-page.js';
import { refuse } from '../refuse.js';
import { type Caller, type CallerHandler, endSession, type SessionDeps } from './portal-session.js';

/** What the keys need. */
export type PortalKeysDeps = SessionDeps & RotateDeps;

/** Shows the portal again with what was wrong about a new key. */
export type ShowAgain = (
  caller: Caller,
  res: Response,
  draft: { name: string; error: string },
) => Promise<void>;

/** Working keys that a customer can have from here. The operator may give him more. */
const activeKeysMax = 100;

/** Orders that are remembered at least, so that none is carried out twice. */
const ordersMax = 10_000;

/** A key that was replaced works so long beside its successor. */
const graceMs = 86_400_000;

const dayMs = 86_400_000;

/** `POST /portal/keys`: makes a key that may do what the one signed in with may, and shows it this once. */
export function makeKey(deps: PortalKeysDeps, showAgain: ShowAgain): CallerHandler {
  const orders = createBoundedCache<string, 'taken' | 'failed'>(ordersMax);
  return async (caller, req, res) => {
    const { customer, session, token, key } = caller;
    const nowMs = deps.host.clock.nowMs();
    const name = fieldOf(req.body, 'name').trim();
    const days = fieldOf(req.body, 'days');
    const fail = (error: string) => showAgain(caller, res, { name, error });
    if (!/^\P{Cc}{0,200}$/u.test(name)) return fail('A name has at most 200 characters.');
    if (!lifetimes.has(days)) return fail('Please choose when the key expires.');
    const active = await deps.store.listKeys(
      { nowMs, customerId: customer.id, status: 'active' },
      { limit: activeKeysMax },
    );
    if (active.data.length >= activeKeysMax)
      return fail(`You have ${activeKeysMax} keys that work. Please revoke one first.`);
    const order = `${session.nonce} ${fieldOf(req.body, 'order')}`;
    if (orders.get(order) === 'taken') return sendPage(res, deps.offer, 200, keyMadePage(token));
    orders.set(order, 'taken');
    const expiresAtMs = days === '0' ? null : nowMs + Number(days) * dayMs;
    const { scopes, ipAllow } = key;
    const limits = (await deps.store.findLimits({ keyId: key.id })).key;
    const wanted = { customerId: customer.id, name: name || null, expiresAtMs, scopes, ipAllow, limits };
    const { secret } = await issueKey(deps, wanted, actorOf(caller)).catch((error: unknown) => {
      orders.set(order, 'failed');
      throw error;
    });
    sendPage(res, deps.offer, 200, newKeyPage({ secret, offer: deps.offer, baseUrl: deps.baseUrl() }, token));
  };
}

/** `GET /portal/keys/:id/replace`: asks before. */
export function askToReplace(deps: PortalKeysDeps): CallerHandler {
  return async (caller, req, res) => {
    const key = await ownKey(deps, caller, req);
    if (!key) return refuseKey(deps, req, res);
    sendPage(res, deps.offer, 200, replacePage(key, caller.token));
  };
}

/** `POST /portal/keys/:id/replace`: makes the successor and shows it this once. A second time makes none. */
export function replaceKey(deps: PortalKeysDeps): CallerHandler {
  return async (caller, req, res) => {
    const { token } = caller;
    const key = await ownKey(deps, caller, req);
    if (!key) return refuseKey(deps, req, res);
    try {
      const { secret, old } = await rotateKey(deps, key.id, { graceMs }, actorOf(caller));
      sendPage(
        res,
        deps.offer,
        200,
        newKeyPage({ secret, old, offer: deps.offer, baseUrl: deps.baseUrl() }, token),
      );
    } catch (error) {
      if (!(error instanceof MeterctlError) || error.code !== 'conflict') throw error;
      sendPage(res, deps.offer, 200, keyMadePage(token));
    }
  };
}

/** `GET /portal/keys/:id/revoke`: asks before. */
export function askToRevoke(deps: PortalKeysDeps): CallerHandler {
  return async (caller, req, res) => {
    const key = await ownKey(deps, caller, req);
    if (!key) return refuseKey(deps, req, res);
    const filter = {
      nowMs: deps.host.clock.nowMs(),
      customerId: caller.customer.id,
      status: 'active' as const,
    };
    const { data } = await deps.store.listKeys(filter, { limit: 2 });
    const warnings = { own: key.id === caller.key.id, last: data.length === 1 && data[0]?.id === key.id };
    sendPage(res, deps.offer, 200, revokePage(key, caller.token, warnings));
  };
}

/** `POST /portal/keys/:id/revoke`: revokes. A second time changes nothing and says the same. */
export function revokeKey(deps: PortalKeysDeps): CallerHandler {
  return async (caller, req, res) => {
    const key = await ownKey(deps, caller, req);
    if (!key) return refuseKey(deps, req, res);
    await deps.store.revokeKey(key.id, { actor: actorOf(caller), atMs: deps.host.clock.nowMs() });
    await deps.keys.refresh();
    if (key.id !== caller.key.id) return res.redirect(303, '/portal?done=revoked');
    endSession(deps, res, caller.session);
    const text = `The key ${key.hint} is revoked, and with it your session.`;
    sendPage(res, deps.offer, 200, signInPage({ text, tone: 'good' }));
  };
}

/** Whom the audit log names: the key that was signed in with. */
function actorOf({ key }: Caller): Actor {
  return `portal:${key.id}`;
}

/** The key of the address, when it is the customer's own. Of other people's keys nobody learns that they exist. */
async function ownKey(deps: PortalKeysDeps, { customer }: Caller, req: Request): Promise<ApiKey | undefined> {
  const key = await deps.store.findKey(String(req.params.id));
  return key?.customerId === customer.id ? key : undefined;
}

function refuseKey(deps: PortalKeysDeps, req: Request, res: Response): void {
  refuse(req, res, deps.offer, 'not_found', 'You have no such key.');
}
