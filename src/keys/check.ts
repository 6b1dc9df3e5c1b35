/** Tells whether a secret works, first offline by its checksum, then against the store. */

import { type ApiKey, type KeyStatus, keyStatus } from '../domain/key.js';
import { createKeyLookup, type KeyLookupDeps } from './key-lookup.js';
import { isOfOwnForm, isWellFormed } from './secret.js';

/** What is known of a secret. `malformed`: never was a key; `unknown`: well formed, but not issued here. */
export interface KeyCheck {
  status: KeyStatus | 'unknown' | 'malformed';
  key?: ApiKey;
}

/** What the secret's checksum tells without the store; nothing where it may be a key. */
export function checkOffline(secret: string, keyPrefix: string): KeyCheck | undefined {
  return isOfOwnForm(secret, keyPrefix) && !isWellFormed(secret) ? { status: 'malformed' } : undefined;
}

/** Checks one secret, as a call with it would. Throws `unavailable` when it is a key from elsewhere that cannot be tried now. */
export async function checkKey(deps: KeyLookupDeps, secret: string): Promise<KeyCheck> {
  const found = await createKeyLookup(deps).find(secret);
  if (found) return { status: keyStatus(found.key, deps.clock.nowMs()), key: found.key };
  return { status: isWellFormed(secret) ? 'unknown' : 'malformed' };
}
