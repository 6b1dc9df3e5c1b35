/** The part of the storage contract that is about keys: see `store.ts` for what holds for all of it. */

import type { Act, Actor } from './audit.js';
import type { Customer } from './customer.js';
import type { ApiKey, KeyChange, KeyStatus, NewApiKey } from './key.js';
import type { HashedKey, ImportedKey, ImportOutcome, WaitingHash } from './key-hash.js';
import type { Page, PageRequest } from './page.js';

/** API keys. Every change is written together with its entry in the audit log. */
export interface KeyStore {
  /** Throws `not_found` without the customer, `conflict` when the id or the secret is there already. */
  addKey(key: NewApiKey, actor: Actor): Promise<ApiKey>;
  /** Adds all of them or, throwing as `addKey`, none. */
  addKeys(keys: readonly NewApiKey[], actor: Actor): Promise<ApiKey[]>;
  /** Looks up by the SHA-256 of the secret. */
  findKeyByHash(hash: Uint8Array): Promise<{ key: ApiKey; customer: Customer } | undefined>;
  findKey(id: string): Promise<ApiKey | undefined>;
  /** Newest first. */
  listKeys(filter: KeyFilter, page: PageRequest): Promise<Page<ApiKey>>;
  changeKey(id: string, change: KeyChange, act: Act): Promise<ApiKey | undefined>;
  /**
   * Adds the successor and lets the old key end at `endsAtMs`, or when it would have ended anyway if that is sooner.
   * `ended` when it has ended, or is to end by an earlier rotation.
   */
  rotateKey(
    id: string,
    successor: NewApiKey,
    rotation: { endsAtMs: number; actor: Actor },
  ): Promise<{ old: ApiKey; key: ApiKey } | 'ended' | undefined>;
  /** Ends the key, also one whose end was set for later. `already` when it had been revoked before. */
  revokeKey(id: string, act: Act): Promise<'revoked' | 'already' | undefined>;
  /** Ends every key of the customer, and returns those that it ended; `undefined` when there is no such customer. */
  revokeKeysOf(customerId: string, act: Act): Promise<ApiKey[] | undefined>;
  /** Notes last uses, gathered by the caller; never moves one backwards. */
  recordKeyUses(uses: { keyNo: number; atMs: number }[]): Promise<void>;
  /** A number that changes whenever a key, customer or subscription changes, in any process. */
  accessRevision(): Promise<number>;
}

/** Keys that come from elsewhere, and those that go there. */
export interface KeyTransferStore {
  /** One outcome a key, in order; what is imported is committed as a whole. */
  importKeys(keys: readonly ImportedKey[], act: Act): Promise<ImportOutcome[]>;
  /** Oldest first. */
  listHashedKeys(page: PageRequest): Promise<Page<HashedKey>>;
  /** Whether there is any key in another format than ours. */
  hasForeignKeys(): Promise<boolean>;
  /** How many keys have a hash of this kind, which none of their calls has replaced yet. */
  countWaitingHashes(kind: WaitingHash['kind']): Promise<number>;
  /** The hashes that wait under any of these lookups. */
  findWaitingHashes(lookups: readonly string[]): Promise<WaitingHash[]>;
  /** Keeps the SHA-256 of a secret that was proved right instead of the hash that came with it. */
  adoptHash(keyNo: number, sha256: Uint8Array, act: Act): Promise<void>;
}

/** Which keys are listed. `nowMs` decides what is expired. */
export interface KeyFilter {
  nowMs: number;
  customerId?: string | undefined;
  status?: KeyStatus | undefined;
  /** Only keys made before this time and not used since. */
  unusedSinceMs?: number | undefined;
  /** Only active keys that end before this time. */
  endingBeforeMs?: number | undefined;
}
