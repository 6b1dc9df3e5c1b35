/** A real store in a folder of its own, with a subscribed customer and a key in it. */

import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Customer } from '../../src/domain/customer.js';
import type { ApiKey } from '../../src/domain/key.js';
import type { Store } from '../../src/domain/store.js';
import type { Subscription } from '../../src/domain/subscription.js';
import { issueKey } from '../../src/keys/issue.js';
import { openStore } from '../../src/sqlite/store.js';
import { createTestFolder } from './folder.js';
import type { FakeHost } from './host.js';
import { recordCustomer, recordSubscription } from './records.js';
import { createSubscription } from './rows.js';

/** Where a store may be made. */
export function newStorePath(): string {
  return join(createTestFolder(), 'meterctl.db');
}

/** Opens a store that is closed when the test has finished: an empty one, or one that another process has open. */
export async function openTestStore(host: FakeHost, path = newStorePath()): Promise<Store> {
  const store = await openStore({ path, host });
  onTestFinished(() => store.close());
  return store;
}

/** Adds a customer with a subscription and a key. */
export async function addSubscriber(
  store: Store,
  host: FakeHost,
  id = 'cus_1',
  over: Partial<Subscription> = {},
): Promise<{ customer: Customer; key: ApiKey; secret: string }> {
  await recordCustomer(store, { id, email: `${id}@example.com`, name: null, createdAtMs: 0, deleted: false });
  await recordSubscription(store, createSubscription({ id: `sub_${id}`, customerId: id, ...over }));
  const issued = await issueKey({ store, host, secretPrefix: 'mk_test_' }, { customerId: id }, 'system');
  const customer = await store.findCustomer(id);
  if (!customer) throw new Error(`${id} was just stored.`);
  return { customer, ...issued };
}
