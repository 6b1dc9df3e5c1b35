/** Finds the key behind a secret in memory, and sees within a second what other processes changed. */

import type { Customer } from '../domain/customer.js';
import type { ApiKey } from '../domain/key.js';
import type { KeyStore } from '../domain/store.js';
import { type BoundedCache, createBoundedCache } from '../lib/bounded-cache.js';
import type { Clock, Log } from '../lib/host.js';
import { createLoop } from '../lib/loop.js';
import { hashSecret, isWellFormed } from './secret.js';

/** A key with its customer. */
export interface FoundKey {
  key: ApiKey;
  customer: Customer;
}

/** How often other processes' changes are looked for: well below the second that a revocation may take. */
const refreshIntervalMs = 200;
const foundMax = 50_000;
const missingMax = 10_000;

/** Looks secrets up. */
export interface KeyLookup {
  start(): void;
  /** The key, or `null` when the secret is malformed or unknown. A value when memory has it, a promise otherwise. */
  find(secret: string): FoundKey | null | Promise<FoundKey | null>;
  /** Forgets everything if a key, customer or subscription has changed anywhere. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** Makes a look-up. Hits and misses are bounded apart, so that guesses cannot push customers out. */
export function createKeyLookup(deps: { store: KeyStore; clock: Clock; log: Log }): KeyLookup {
  const found: BoundedCache<string, FoundKey> = createBoundedCache(foundMax);
  const missing: BoundedCache<string, true> = createBoundedCache(missingMax);
  let revision: number | undefined;

  async function refresh(): Promise<void> {
    const latest = await deps.store.accessRevision();
    if (latest === revision) return;
    revision = latest;
    found.clear();
    missing.clear();
  }

  async function load(hash: Uint8Array, name: string): Promise<FoundKey | null> {
    const asked = revision;
    const row = (await deps.store.findKeyByHash(hash)) ?? null;
    // A row read before a change must not enter a cache that was cleared because of that change.
    if (asked === revision) row ? found.set(name, row) : missing.set(name, true);
    return row;
  }

  const loop = createLoop({
    name: 'key refresh',
    clock: deps.clock,
    log: deps.log,
    intervalMs: refreshIntervalMs,
    tick: refresh,
  });

  return {
    start: () => loop.start(),
    find(secret) {
      if (!isWellFormed(secret)) return null;
      const hash = hashSecret(secret);
      const name = Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1');
      const hit = found.get(name);
      if (hit) return hit;
      return missing.get(name) ? null : load(hash, name);
    },
    refresh,
    close: () => loop.close(),
  };
}
