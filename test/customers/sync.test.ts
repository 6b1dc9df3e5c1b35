/** Everybody is synced with the embedded Stripe, also when it does not know somebody. */

import { describe, expect, it } from 'vitest';
import { syncAllCustomers } from '../../src/customers/sync.js';
import { createTestStripe } from '../emulator/open-test-emulator.js';
import { createTestBilling, openTestEmulator } from '../support/emulator.js';
import { createFakeHost } from '../support/host.js';
import { recordCustomer } from '../support/records.js';
import { openTestStore } from '../support/store.js';

describe('syncing everybody', () => {
  it('names whom Stripe does not know, leaves him as he was, and goes on', async () => {
    const host = createFakeHost();
    const store = await openTestStore(host);
    const emulator = await openTestEmulator(host);
    const stripe = createTestStripe(emulator);
    const names = ['Ada', 'Foreigner', 'Bob', 'Gone'];
    const ids: Record<string, string> = {};
    for (const name of names) {
      const id = name === 'Foreigner' ? 'cus_foreign' : (await stripe.customers.create({ name })).id;
      ids[name] = id;
      await recordCustomer(store, { id, email: null, name: 'Old', createdAtMs: 0, deleted: false });
    }
    await stripe.customers.del(ids.Gone!);
    const deps = { store, billing: createTestBilling(emulator, host, 'mtr_1') };
    expect(await syncAllCustomers(deps)).toEqual({ synced: 3, unknown: ['cus_foreign'] });
    expect(await store.findCustomer(ids.Ada!)).toMatchObject({ name: 'Ada' });
    expect(await store.findCustomer(ids.Bob!)).toMatchObject({ name: 'Bob' });
    expect(await store.findCustomer(ids.Gone!)).toMatchObject({ deletedAtMs: expect.any(Number) });
    expect(await store.findCustomer('cus_foreign')).toMatchObject({ name: 'Old', deletedAtMs: null });
  });
});
