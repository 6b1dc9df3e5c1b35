/** From a presented key to a customer, or to the refusal. */

import { MeterctlError } from '../domain/error.js';
import { hasScope, keyStatus } from '../domain/key.js';
import type { FoundKey, KeyLookup } from '../keys/key-lookup.js';
import { type Asking, presentedKey } from './presented-key.js';
import { problemOf, type Refusal } from './problem.js';

/** What authentication needs. */
export interface AuthenticateDeps {
  keys: KeyLookup;
  queryParameter: boolean;
}

/**
 * Finds the key that the request presents, and makes sure that it may be used from where the request comes and, where a
 * scope is needed, for that. A value when memory has the key, a promise otherwise.
 */
export function authenticate(
  req: Asking,
  deps: AuthenticateDeps,
  nowMs: number,
  scope: string | null = null,
): FoundKey | Refusal | Promise<FoundKey | Refusal> {
  const secret = presentedKey(req, deps.queryParameter);
  if (secret === undefined) {
    return {
      refused: 'missing_api_key',
      detail: 'Send the key as "Authorization: Bearer …" or in X-API-Key.',
    };
  }
  const found = deps.keys.find(secret);
  if (!(found instanceof Promise)) return usable(found, req, nowMs, scope);
  return found.then((key) => usable(key, req, nowMs, scope), unknowable);
}

/** The key cannot be looked up now. What has a cause is the database's trouble, which is for the operator's eyes. */
function unknowable(error: unknown): Refusal {
  if (!(error instanceof MeterctlError)) throw error;
  const { code, message, cause } = error;
  if (cause === undefined) return { refused: problemOf(code), detail: message };
  return { refused: 'ledger_unavailable', detail: 'The key cannot be looked up now. Please try again.' };
}

/** The key, if it may be used for this. Whoever holds one may learn what is wrong with it. */
function usable(
  found: FoundKey | null,
  req: Asking,
  nowMs: number,
  scope: string | null,
): FoundKey | Refusal {
  if (found === null) return { refused: 'invalid_api_key', detail: 'No such key was issued here.' };
  const { key, allowsAddress } = found;
  const status = keyStatus(key, nowMs);
  if (status === 'expired') {
    return { refused: 'expired_api_key', detail: `The key ${key.hint} has expired.` };
  }
  if (status === 'revoked') {
    return { refused: 'revoked_api_key', detail: `The key ${key.hint} was revoked.` };
  }
  if (allowsAddress && !allowsAddress(addressOf(req))) {
    return {
      refused: 'ip_not_allowed',
      detail: `The key ${key.hint} may not be used from ${addressOf(req)}.`,
    };
  }
  if (scope !== null && !hasScope(key, scope)) {
    return { refused: 'insufficient_scope', detail: `The key ${key.hint} lacks the scope ${scope}.` };
  }
  return found;
}

/** `ip` walks through X-Forwarded-For, which costs more than all else that is done here, so it is asked only where there is one. */
function addressOf(req: Asking): string {
  const isDirect = req.socket !== undefined && req.headers['x-forwarded-for'] === undefined;
  return (isDirect ? req.socket?.remoteAddress : req.ip) ?? '';
}
