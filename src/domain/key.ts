/** An API key of a customer. The secret itself is never kept: only a hash of it. */

import type { Limits } from './limit.js';

/** Whether a key still works. */
export type KeyStatus = 'active' | 'expired' | 'revoked';

/** What the operator decides about a key, and may change later. */
export interface KeyTerms {
  name: string | null;
  /** The operator's own notes. */
  metadata: Record<string, string>;
  /** What the key may be used for; empty means everything. */
  scopes: string[];
  /** The addresses that it may be used from, as CIDR ranges; empty means everywhere. */
  ipAllow: string[];
  expiresAtMs: number | null;
}

/** A key as the store keeps it. */
export interface ApiKey extends KeyTerms {
  /** The number that the storage engine gave; never leaves the program. */
  no: number;
  /** `key_…`. */
  id: string;
  customerId: string;
  /** What may be shown of the secret: its prefix and its last characters, `mk_test_…a1b2`. */
  hint: string;
  /** Whether it was issued elsewhere, in a format of its own. */
  foreign: boolean;
  createdAtMs: number;
  /** In the future while the grace of a rotation runs. */
  revokedAtMs: number | null;
  lastUsedAtMs: number | null;
}

/** A key that is about to be stored. */
export interface NewApiKey extends KeyTerms {
  id: string;
  customerId: string;
  hint: string;
  /** SHA-256 of the whole secret: 32 bytes. */
  hash: Uint8Array;
  /** Limits of this key alone. */
  limits: Limits | null;
  createdAtMs: number;
}

/** What of a key is changed; what is absent stays. Metadata is merged in, and `null` takes an entry away. */
export type KeyChange = {
  [Term in Exclude<keyof KeyTerms, 'metadata'>]?: KeyTerms[Term] | undefined;
} & { metadata?: Record<string, string | null> | undefined };

/** The status at `nowMs`. A revoked key stays revoked, whether or not it would have expired. */
export function keyStatus(key: Pick<ApiKey, 'revokedAtMs' | 'expiresAtMs'>, nowMs: number): KeyStatus {
  if (key.revokedAtMs !== null && key.revokedAtMs <= nowMs) return 'revoked';
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return 'expired';
  return 'active';
}

/** Whether the key may do what needs `scope`. `read:*` stands for everything that begins with `read:`. */
export function hasScope(key: Pick<KeyTerms, 'scopes'>, scope: string): boolean {
  return (
    key.scopes.length === 0 ||
    key.scopes.some((owned) => (owned.endsWith('*') ? scope.startsWith(owned.slice(0, -1)) : owned === scope))
  );
}
