/** From a presented key to a customer, or to the refusal. */

import type { Request } from 'express';
import { keyStatus } from '../domain/key.js';
import type { FoundKey, KeyLookup } from '../keys/key-lookup.js';
import { presentedKey } from './presented-key.js';
import type { ProblemCode } from './problem.js';

/** A refusal with its explanation. */
export interface Refusal {
  refused: ProblemCode;
  detail: string;
}

/** What authentication needs. */
export interface AuthenticateDeps {
  keys: KeyLookup;
  queryParameter: boolean;
}

/** Finds the key that the request presents. Waits for the store only when memory does not have it. */
export async function authenticate(
  req: Request,
  deps: AuthenticateDeps,
  nowMs: number,
): Promise<FoundKey | Refusal> {
  const secret = presentedKey(req, deps.queryParameter);
  if (secret === undefined) {
    return {
      refused: 'missing_api_key',
      detail: 'Send the key as "Authorization: Bearer mk_…" or in X-API-Key.',
    };
  }
  const found = await deps.keys.find(secret);
  if (found === null) return { refused: 'invalid_api_key', detail: 'No such key was issued here.' };
  switch (keyStatus(found.key, nowMs)) {
    case 'active':
      return found;
    case 'expired':
      return { refused: 'expired_api_key', detail: `The key ${found.key.hint} has expired.` };
    case 'revoked':
      return { refused: 'revoked_api_key', detail: `The key ${found.key.hint} was revoked.` };
  }
}
