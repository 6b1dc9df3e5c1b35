/** Customers are created in the embedded Stripe, also while its lists trail behind. */

import { describe, expect, it } from 'vitest';
import { runBootstrap } from '../../src/bootstrap/run.js';
import { createCustomer } from '../../src/customers/create.js';
import { createTestBilling, openTestEmulator } from '../support/emulator.js';
import { createFakeHost } from '../support/host.js';
import { openTestStore } from '../support/store.js';

/** An account that sells calls, and somebody who is about to be subscribed to them. */
async function setUp() {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const emulator = await openTestEmulator(host);
  const { meter, price } = await runBootstrap(
    {
      ...{ store, host, billing: createTestBilling(emulator, host) },
      hasSecretOf: () => false,
      onStep: () => undefined,
      onSecret: async () => undefined,
    },
    {
      ...{ productName: 'Fire API', unit: 'call', eventName: 'calls', unitAmountMinor: '5' },
      ...{ currency: 'usd', interval: 'month', webhookUrl: null },
    },
  );
  const billing = createTestBilling(emulator, host, meter.id);
  const order = { email: 'ada@example.com', name: null, subscribeTo: price.id };
  return { deps: { store, billing, host }, order, emulator };
}

describe('a customer who is subscribed at once', () => {
  it('is active, although no list shows the subscription yet', async () => {
    const { deps, order, emulator } = await setUp();
    emulator.account.faults.set({ listLagSec: 60 });
    const { subscriptions } = await createCustomer(deps, order);
    expect(subscriptions).toMatchObject([{ status: 'active', priceId: order.subscribeTo }]);
  });

  it('is named when he is there and the rest fails, so that nobody makes him again', async () => {
    const { deps, order, emulator } = await setUp();
    const failed = createCustomer(deps, { ...order, subscribeTo: 'price_none' });
    await expect(failed).rejects.toMatchObject({ code: 'not_found' });
    const [customer] = emulator.account.objects.all('customer');
    await expect(failed).rejects.toMatchObject({ hint: expect.stringContaining(customer!.id) });
  });
});
