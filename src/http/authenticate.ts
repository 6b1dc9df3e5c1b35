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
 * scope is needed, for that. Waits for the store only when memory does not have the key.
 */
export async function authenticate(
  req: Asking,
  deps: AuthenticateDeps,
  nowMs: number,
  scope: string | null = null,
): Promise<FoundKey | Refusal> {
  const secret = presentedKey(req, deps.queryParameter);
  if (secret === undefined) {
    return {
      refused: 'missing_api_key',
      detail: 'Send the key as "Authorization: Bearer …" or in X-API-Key.',
    };
  }
  let found: FoundKey | null;
  try {
    found = await deps.keys.find(secret);
  } catch (error) {
    return unknowable(error);
  }
  if (found === null) return { refused: 'invalid_api_key', detail: 'No such key was issued here.' };
  return refusalOf(found, req, nowMs, scope) ?? found;
}

/** The key cannot be looked up now. What has a cause is the database's trouble, which is for the operator's eyes. */
function unknowable(error: unknown): Refusal {
  if (!(error instanceof MeterctlError)) throw error;
  const { code, message, cause } = error;
  if (cause === undefined) return { refused: problemOf(code), detail: message };
  return { refused: 'ledger_unavailable', detail: 'The key cannot be looked up now. Please try again.' };
}

/** Whoever holds a key may learn what is wrong with it. */
function refusalOf(
  { key, allowsAddress }: FoundKey,
  req: Asking,
  nowMs: number,
  scope: string | null,
): Refusal | undefined {
  const status = keyStatus(key, nowMs);
  if (status === 'expired') {
    return { refused: 'expired_api_key', detail: `The key ${key.hint} has expired.` };
  }
  if (status === 'revoked') {
    return { refused: 'revoked_api_key', detail: `The key ${key.hint} was revoked.` };
  }
  // Asking for the address walks through X-Forwarded-For, so only keys with a list pay for it.
  if (allowsAddress && !allowsAddress(req.ip ?? '')) {
    return { refused: 'ip_not_allowed', detail: `The key ${key.hint} may not be used from ${req.ip}.` };
  }
  if (scope !== null && !hasScope(key, scope)) {
    return { refused: 'insufficient_scope', detail: `The key ${key.hint} lacks the scope ${scope}.` };
  }
  return undefined;
}
