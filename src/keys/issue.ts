/** Issues a key to a customer. */

import { MeterctlError } from '../domain/error.js';
import type { ApiKey, NewApiKey } from '../domain/key.js';
import type { Mode } from '../domain/mode.js';
import type { CustomerStore, KeyStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import { mintSecret } from './secret.js';

/** What the caller decides about a new key. */
export interface KeyOrder {
  customerId: string;
  name: string | null;
  expiresAtMs: number | null;
  scopes: string[];
}

/** A new key with its secret, which exists only in this value. */
export interface IssuedKey {
  secret: string;
  key: ApiKey;
}

/** Makes the secret and the row of a key, without storing it. */
export function prepareKey(host: Host, mode: Mode, order: KeyOrder): { secret: string; row: NewApiKey } {
  const { secret, hash, hint } = mintSecret(mode, host.random);
  return { secret, row: { id: host.ids.next('key'), hash, hint, createdAtMs: host.clock.nowMs(), ...order } };
}

/** Stores a new key. Throws `not_found` when the customer is not known here, `invalid` when it would be born expired. */
export async function issueKey(
  deps: { store: CustomerStore & KeyStore; host: Host; mode: Mode },
  order: KeyOrder,
): Promise<IssuedKey> {
  const customer = await deps.store.findCustomer(order.customerId);
  if (!customer) {
    throw new MeterctlError('not_found', `There is no customer ${order.customerId} here.`, {
      hint: `Stripe may know it: meterctl customers import ${order.customerId}`,
    });
  }
  if (order.expiresAtMs !== null && order.expiresAtMs <= deps.host.clock.nowMs()) {
    throw new MeterctlError('invalid', 'The key would have expired before it is made.', {
      hint: 'Give an end in the future, such as 90d.',
    });
  }
  const { secret, row } = prepareKey(deps.host, deps.mode, order);
  return { secret, key: await deps.store.addKey(row) };
}
