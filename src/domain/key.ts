/** An API key of a customer. The secret itself is never kept: only its SHA-256. */

/** Whether a key still works. */
export type KeyStatus = 'active' | 'expired' | 'revoked';

/** A key as the store keeps it. */
export interface ApiKey {
  /** The number that the storage engine gave; never leaves the program. */
  no: number;
  /** `key_…`. */
  id: string;
  customerId: string;
  name: string | null;
  /** What may be shown of the secret: its prefix and its last characters, `mk_test_…a1b2`. */
  hint: string;
  /** What the key may be used for; empty means everything. */
  scopes: string[];
  createdAtMs: number;
  expiresAtMs: number | null;
  revokedAtMs: number | null;
  lastUsedAtMs: number | null;
}

/** A key that is about to be stored. */
export interface NewApiKey {
  id: string;
  customerId: string;
  name: string | null;
  hint: string;
  /** SHA-256 of the whole secret: 32 bytes. */
  hash: Uint8Array;
  scopes: string[];
  createdAtMs: number;
  expiresAtMs: number | null;
}

/** The status at `nowMs`. A revoked key stays revoked, whether or not it would have expired. */
export function keyStatus(key: Pick<ApiKey, 'revokedAtMs' | 'expiresAtMs'>, nowMs: number): KeyStatus {
  if (key.revokedAtMs !== null && key.revokedAtMs <= nowMs) return 'revoked';
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return 'expired';
  return 'active';
}
