/** Signing in to the portal with a key, out of it, and who is signed in. */

import type { Request, RequestHandler, Response } from 'express';
import type { Customer } from '../../domain/customer.js';
import { type ApiKey, hasScope, keyStatus } from '../../domain/key.js';
import type { KeyStore } from '../../domain/key-store.js';
import type { CustomerStore } from '../../domain/store.js';
import type { FoundKey, KeyLookup } from '../../keys/key-lookup.js';
import { createAddressCheck } from '../../lib/address-ranges.js';
import type { Host } from '../../lib/host.js';
import { createTryLimit } from '../../lib/try-limit.js';
import { clientAddress } from '../client-address.js';
import { fieldOf } from '../form-field.js';
import { type Site, sendPage } from '../pages/layout.js';
import { signInPage } from '../pages/sign-in-page.js';
import { refuse } from '../refuse.js';
import type { Session, Sessions } from '../session.js';
import { clearSessionCookie, readSessionCookie, setSessionCookie } from '../session-cookie.js';

/** What signing in needs. */
export interface SessionDeps {
  store: CustomerStore & KeyStore;
  host: Host;
  keys: KeyLookup;
  sessions: Sessions;
  offer: Site;
  baseUrl(): string;
}

/** Who is signed in, as the store knows him now. */
export interface Caller {
  session: Session;
  /** The key that he has shown. */
  key: ApiKey;
  customer: Customer;
  /** What his forms must carry. */
  token: string;
}

/** A route for somebody who is signed in. */
export type CallerHandler = (caller: Caller, req: Request, res: Response) => Promise<void>;

/** The scope with which a restricted key acts for the whole account: in the portal it could make more keys like itself. */
export const portalScope = 'portal';

/** Wrong keys from one address: a few at once, then one every ten seconds. Right keys are not counted. */
const wrongKeys = { burst: 10, refillMs: 10_000, namesMax: 10_000 };

/** `POST /portal/sign-in`. */
export function signIn(deps: SessionDeps): RequestHandler {
  const limit = createTryLimit({ clock: deps.host.clock, ...wrongKeys });
  return async function signIn(req, res) {
    const address = clientAddress(req);
    const waitMs = limit.waitMs(address);
    if (waitMs > 0) {
      res.set('Retry-After', String(Math.ceil(waitMs / 1000)));
      return refuse(req, res, deps.offer, 'rate_limited', 'Too many wrong keys. Please wait a minute.');
    }
    const found = await deps.keys.find(fieldOf(req.body, 'key').trim());
    const refusal = refusalOf(found, deps.host.clock.nowMs(), req.ip ?? '');
    if (found === null || refusal !== undefined) {
      limit.note(address);
      const text = refusal ?? 'This key is not known here. Please check that it is complete.';
      res.set('WWW-Authenticate', 'Bearer');
      return sendPage(res, deps.offer, 401, signInPage({ text, tone: 'bad', field: true }));
    }
    keepSession(deps, res, deps.sessions.open(found.key.id));
    res.redirect(303, '/portal');
  };
}

/** `POST /portal/sign-out`. */
export function signOut(deps: SessionDeps): CallerHandler {
  return async ({ session }, _req, res) => {
    endSession(deps, res, session);
    res.redirect(303, '/portal');
  };
}

/** Ends the session here and in the browser. */
export function endSession(deps: SessionDeps, res: Response, session: Session): void {
  deps.sessions.close(session);
  clearSessionCookie(res, deps.baseUrl());
}

/** Runs `handle` for who is signed in and, where something is sent, has used our own form; shows anybody else the door. */
export function signedIn(deps: SessionDeps, handle: CallerHandler): RequestHandler {
  return async function signedIn(req, res) {
    const caller = await callerOf(deps, req);
    if (!caller) return showDoor(deps, req, res);
    keepSession(deps, res, caller.session);
    if (req.method === 'POST' && !deps.sessions.isFormToken(caller.session, fieldOf(req.body, 'token'))) {
      return refuse(req, res, deps.offer, 'cross_origin', 'Nothing was done. Please load the page again.');
    }
    await handle(caller, req, res);
  };
}

async function callerOf(deps: SessionDeps, req: Request): Promise<Caller | undefined> {
  const session = deps.sessions.read(readSessionCookie(req) ?? '');
  const key = session && (await deps.store.findKey(session.keyId));
  if (!key || keyStatus(key, deps.host.clock.nowMs()) !== 'active') return undefined;
  if (!hasScope(key, portalScope)) return undefined;
  const customer = await deps.store.findCustomer(key.customerId);
  if (!customer || customer.deletedAtMs !== null) return undefined;
  if (createAddressCheck(key.ipAllow)?.(req.ip ?? '') === false) return undefined;
  return { session, key, customer, token: deps.sessions.formToken(session) };
}

/** Where there was a session, it is said that there is none any more: a form that was filled in has come to nothing. */
function showDoor(deps: SessionDeps, req: Request, res: Response): void {
  const left = readSessionCookie(req) !== undefined || req.method === 'POST';
  if (left) clearSessionCookie(res, deps.baseUrl());
  const text = 'Your session has ended. Please sign in again.';
  const page = left ? signInPage({ text, tone: 'bad' }) : signInPage();
  sendPage(res, deps.offer, req.method === 'POST' ? 403 : 200, page);
}

function keepSession(deps: SessionDeps, res: Response, session: Session): void {
  setSessionCookie(res, deps.baseUrl(), deps.sessions.seal(session));
}

function refusalOf(found: FoundKey | null, nowMs: number, address: string): string | undefined {
  if (found === null) return undefined;
  const { key, customer } = found;
  if (customer.deletedAtMs !== null) return 'This account was closed. Please subscribe anew.';
  switch (keyStatus(key, nowMs)) {
    case 'revoked':
      return 'This key was revoked. Please use one that still works.';
    case 'expired':
      return 'This key has expired. Please use one that still works.';
    case 'active':
      if (found.allowsAddress && !found.allowsAddress(address))
        return 'This key may not be used from your address.';
      return hasScope(key, portalScope)
        ? undefined
        : 'This key may only be used for calls. Please use one without restrictions.';
  }
}
