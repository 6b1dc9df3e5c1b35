/** Issues keys to customers. */

import type { Actor } from '../domain/audit.js';
import { MeterctlError } from '../domain/error.js';
import type { ApiKey, KeyTerms, NewApiKey } from '../domain/key.js';
import type { KeyStore } from '../domain/key-store.js';
import type { Limits } from '../domain/limit.js';
import type { CustomerStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';
import { mintSecret } from './secret.js';

/** What the caller decides about a new key. What is left out: no name, no notes, no restriction, no end. */
export type KeyOrder = { customerId: string; limits?: Limits | null | undefined } & {
  [Term in keyof KeyTerms]?: KeyTerms[Term] | undefined;
};

/** A new key with its secret, which exists only in this value. */
export interface IssuedKey {
  secret: string;
  key: ApiKey;
}

/** What issuing needs. */
export interface IssueDeps {
  store: CustomerStore & KeyStore;
  host: Host;
  /** What secrets begin with, as `secretPrefix` makes it. */
  secretPrefix: string;
}

/** Makes the secret and the row of a key, without storing it. Throws `invalid` when it would be born expired. */
export function prepareKey(
  { host, secretPrefix }: Pick<IssueDeps, 'host' | 'secretPrefix'>,
  order: KeyOrder,
): { secret: string; row: NewApiKey } {
  const createdAtMs = host.clock.nowMs();
  const { customerId, name = null, metadata = {}, scopes = [], ipAllow = [], expiresAtMs = null } = order;
  if (expiresAtMs !== null && expiresAtMs <= createdAtMs) {
    throw new MeterctlError('invalid', 'The key would have expired before it is made.', {
      hint: 'Give an end in the future, such as 90d.',
    });
  }
  const { secret, hash, hint } = mintSecret(secretPrefix, host.random);
  const terms = { name, metadata, scopes, ipAllow, expiresAtMs, limits: order.limits ?? null };
  return { secret, row: { id: host.ids.next('key'), customerId, hash, hint, createdAtMs, ...terms } };
}

/** Stores a new key. Throws `not_found` when the customer is not known here, `invalid` when it would be born expired. */
export async function issueKey(deps: IssueDeps, order: KeyOrder, actor: Actor): Promise<IssuedKey> {
  await requireCustomer(deps.store, order.customerId);
  const { secret, row } = prepareKey(deps, order);
  return { secret, key: await deps.store.addKey(row, actor) };
}

/** Stores all of them or, throwing as `issueKey`, none. */
export async function issueKeys(
  deps: IssueDeps,
  orders: readonly KeyOrder[],
  actor: Actor,
): Promise<IssuedKey[]> {
  for (const customerId of new Set(orders.map((order) => order.customerId))) {
    await requireCustomer(deps.store, customerId);
  }
  const prepared = orders.map((order) => prepareKey(deps, order));
  const keys = await deps.store.addKeys(
    prepared.map(({ row }) => row),
    actor,
  );
  return keys.map((key, index) => ({ key, secret: prepared[index]?.secret ?? '' }));
}

async function requireCustomer(store: CustomerStore, id: string): Promise<void> {
  if (await store.findCustomer(id)) return;
  throw new MeterctlError('not_found', `There is no customer ${id} here.`, {
    hint: `Stripe may know it: meterctl customers import ${id}`,
  });
}
