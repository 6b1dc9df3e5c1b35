/** Finds the key behind a secret in memory, and sees within a second what other processes changed. */

import type { Customer } from '../domain/customer.js';
import type { ApiKey } from '../domain/key.js';
import type { KeyStore } from '../domain/key-store.js';
import { type AddressCheck, createAddressCheck } from '../lib/address-ranges.js';
import { type BoundedCache, createBoundedCache } from '../lib/bounded-cache.js';
import { createLoop } from '../lib/loop.js';
import { createForeignKeys, type ForeignKeysDeps } from './foreign-keys.js';
import { hashNameOf, isOfOwnForm, isWellFormed } from './secret.js';

/** A key with its customer, and the check of the addresses that it may be used from, if not from all. */
export interface FoundKey {
  key: ApiKey;
  customer: Customer;
  allowsAddress: AddressCheck | null;
}

/** How often other processes' changes are looked for: well below the second that a revocation may take. */
const refreshIntervalMs = 200;
const foundMax = 50_000;
const missingMax = 10_000;

/** A secret of another system may be so long; nothing longer is read. */
const foreignLength = { min: 8, max: 512 } as const;

/** What the look-up needs. */
export interface KeyLookupDeps extends ForeignKeysDeps {
  store: KeyStore & ForeignKeysDeps['store'];
  /** What our own keys begin with: what looks like one and has a wrong checksum is looked up nowhere. */
  keyPrefix: string;
}

/** Looks secrets up. */
export interface KeyLookup {
  start(): void;
  /**
   * The key, or `null` when the secret is malformed or unknown. A value when memory has it, a promise otherwise. Throws
   * `unavailable` when it is a key from elsewhere whose hash cannot be tried now.
   */
  find(secret: string): FoundKey | null | Promise<FoundKey | null>;
  /** Forgets everything if a key, customer or subscription has changed anywhere. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** Makes a look-up. Hits and misses are bounded apart, so that guesses cannot push customers out. */
export function createKeyLookup(deps: KeyLookupDeps): KeyLookup {
  const { store, clock, log } = deps;
  const foreignKeys = createForeignKeys(deps);
  const found: BoundedCache<string, FoundKey> = createBoundedCache(foundMax);
  const missing: BoundedCache<string, true> = createBoundedCache(missingMax);
  /** What is being looked up: calls that come together with the same secret wait for one answer. */
  const pending = new Map<string, Promise<FoundKey | null>>();
  let revision: number | undefined;
  let hasForeignKeys = false;

  async function refresh(): Promise<void> {
    const latest = await store.accessRevision();
    if (latest === revision) return;
    hasForeignKeys = await store.hasForeignKeys();
    if (hasForeignKeys && revision === undefined) await foreignKeys.warnOfPepper();
    revision = latest;
    found.clear();
    missing.clear();
  }

  async function load(secret: string, name: string): Promise<FoundKey | null> {
    const asked = revision;
    const wellFormed = isWellFormed(secret);
    const hash = Buffer.from(name, 'latin1');
    let row = await store.findKeyByHash(hash);
    if (!row && !wellFormed && (await foreignKeys.adopt(secret, hash))) row = await store.findKeyByHash(hash);
    const key = row ? { ...row, allowsAddress: createAddressCheck(row.key.ipAllow) } : null;
    // A row read before a change must not enter a cache that was cleared because of that change.
    if (asked === revision) key ? found.set(name, key) : missing.set(name, true);
    return key;
  }

  function lookUp(secret: string, name: string): FoundKey | null | Promise<FoundKey | null> {
    if (missing.get(name)) return null;
    const running = pending.get(name) ?? load(secret, name).finally(() => pending.delete(name));
    pending.set(name, running);
    return running;
  }

  function findForeign(secret: string, name: string): FoundKey | null | Promise<FoundKey | null> {
    if (secret.length < foreignLength.min || isOfOwnForm(secret, deps.keyPrefix)) return null;
    if (revision === undefined) return refresh().then(() => findForeign(secret, name));
    return hasForeignKeys ? lookUp(secret, name) : null;
  }

  function find(secret: string): FoundKey | null | Promise<FoundKey | null> {
    if (secret.length > foreignLength.max) return null;
    const name = hashNameOf(secret);
    // What memory has was found in the store, also without a checksum if it is from elsewhere: that is for the others.
    const hit = found.get(name);
    if (hit) return hit;
    return isWellFormed(secret) ? lookUp(secret, name) : findForeign(secret, name);
  }

  const loop = createLoop({ name: 'key refresh', clock, log, intervalMs: refreshIntervalMs, tick: refresh });
  return { ...loop, find, refresh };
}
