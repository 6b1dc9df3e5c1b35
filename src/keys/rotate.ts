/** Replaces a key by another of the same terms; the old one works on until the end of a grace. */

import type { Actor } from '../domain/audit.js';
import { MeterctlError } from '../domain/error.js';
import type { ApiKey } from '../domain/key.js';
import type { LimitStore } from '../domain/store.js';
import { latestMs } from '../lib/rfc3339.js';
import { type IssueDeps, type IssuedKey, prepareKey } from './issue.js';

/** What rotating needs. */
export interface RotateDeps extends IssueDeps {
  store: IssueDeps['store'] & LimitStore;
}

/** How a key is replaced. */
export interface Rotation {
  /** The old key works so long from now on. */
  graceMs: number;
  /** When the new key ends; by default it lives as long as the old one was to live, from now on. */
  expiresAtMs?: number | null | undefined;
}

/** The new key, the old one with its end, and the customer's keys that were used while they work, the latest use first. */
export interface RotatedKey extends IssuedKey {
  old: ApiKey;
  inUse: ApiKey[];
}

/** So many of a customer's keys are looked through for what is in use. */
const keysMax = 1_000;

/** Rotates. Throws `not_found`, or `conflict` when the key has ended or was rotated before. */
export async function rotateKey(
  deps: RotateDeps,
  id: string,
  rotation: Rotation,
  actor: Actor,
): Promise<RotatedKey> {
  const { store, host } = deps;
  const nowMs = host.clock.nowMs();
  const before = await store.findKey(id);
  if (!before) throw unknownKey(id);
  const { customerId, name, metadata, scopes, ipAllow } = before;
  const expiresAtMs = rotation.expiresAtMs === undefined ? endOfLife(before, nowMs) : rotation.expiresAtMs;
  const limits = (await store.findLimits({ keyId: id })).key;
  const order = { customerId, name, metadata, scopes, ipAllow, expiresAtMs, limits };
  const { secret, row } = prepareKey(deps, order);
  const endsAtMs = Math.min(nowMs + rotation.graceMs, latestMs);
  const rotated = await store.rotateKey(id, row, { endsAtMs, actor });
  if (rotated === undefined) throw unknownKey(id);
  if (rotated === 'ended') {
    throw new MeterctlError('conflict', `The key ${id} has ended, or was rotated before.`, {
      hint: `Rotate the key that followed it, or make a new one: meterctl keys create --customer ${customerId}`,
    });
  }
  const working = await store.listKeys({ nowMs, customerId, status: 'active' }, { limit: keysMax });
  const inUse = working.data
    .filter((key) => key.lastUsedAtMs !== null)
    .sort((one, other) => (other.lastUsedAtMs ?? 0) - (one.lastUsedAtMs ?? 0));
  return { secret, ...rotated, inUse };
}

function endOfLife({ createdAtMs, expiresAtMs }: ApiKey, nowMs: number): number | null {
  return expiresAtMs === null ? null : Math.min(nowMs + (expiresAtMs - createdAtMs), latestMs);
}

function unknownKey(id: string): MeterctlError {
  return new MeterctlError('not_found', `There is no key ${id}.`, { hint: 'See meterctl keys list' });
}
