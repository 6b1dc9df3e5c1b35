/** Tells whether a secret works, first offline by its checksum, then against the store. */

import { type ApiKey, type KeyStatus, keyStatus } from '../domain/key.js';
import type { KeyStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import { hashSecret, isWellFormed } from './secret.js';

/** What is known of a secret. `malformed`: never was a key; `unknown`: well formed, but not issued here. */
export interface KeyCheck {
  status: KeyStatus | 'unknown' | 'malformed';
  key?: ApiKey;
}

/** Checks one secret. */
export async function checkKey(deps: { store: KeyStore; host: Host }, secret: string): Promise<KeyCheck> {
  if (!isWellFormed(secret)) return { status: 'malformed' };
  const found = await deps.store.findKeyByHash(hashSecret(secret));
  if (!found) return { status: 'unknown' };
  return { status: keyStatus(found.key, deps.host.clock.nowMs()), key: found.key };
}
