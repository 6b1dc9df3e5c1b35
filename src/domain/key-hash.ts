/** What is kept of a secret, in every form that another system may have kept it in. */

import type { ApiKey, NewApiKey } from './key.js';
import type { Limits } from './limit.js';

/** The hash that is kept of every secret that has been seen here. */
interface PlainHash {
  kind: 'sha256';
  /** 32 bytes. */
  digest: Uint8Array;
}

/** SHA-256 keyed with a pepper that only the configuration knows. */
export interface PepperedHash {
  kind: 'hmac-sha256';
  /** 32 bytes. */
  digest: Uint8Array;
}

/** A salted, slow hash: what may fit is found by the secret's first characters, then each is tried. */
export interface SlowHash {
  kind: 'bcrypt' | 'argon2';
  /** As its library writes it: `$2b$12$…`, `$argon2id$v=19$…`. */
  encoded: string;
  /** The first characters of the secret. */
  lookup: string;
}

/** Any of them. */
export type KeyHash = PlainHash | PepperedHash | SlowHash;

/** So many keys may share one lookup prefix: each costs a slow comparison when one of them is used first. */
export const lookupSharersMax = 8;

/** The length of a lookup prefix. Longer ones would give too much of a secret away, shorter ones tell nothing apart. */
export const lookupLength = { min: 4, max: 24 } as const;

/** A key as another system, or another database, hands it over. */
export interface ImportedKey extends Omit<NewApiKey, 'hash'> {
  hash: KeyHash;
  foreign: boolean;
  revokedAtMs: number | null;
  lastUsedAtMs: number | null;
}

/** What became of an imported key. `known`: it was there already; `conflict`: its id is that of another key. */
export type ImportOutcome = 'imported' | 'known' | 'conflict' | 'no_customer' | 'crowded';

/** A key with what is kept of its secret, as it is exported. */
export interface HashedKey {
  key: ApiKey;
  limits: Limits | null;
  hash: KeyHash;
}

/** A hash of another system that has not been replaced by SHA-256 yet. */
export interface WaitingHash {
  keyNo: number;
  kind: Exclude<KeyHash['kind'], 'sha256'>;
  /** Of `hmac-sha256` 64 hexadecimal digits. */
  encoded: string;
}
