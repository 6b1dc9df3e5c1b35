/** Customers are created in the embedded Stripe, also while its lists trail behind. */

import { describe, expect, it } from 'vitest';
import { runBootstrap } from '../../src/bootstrap/run.js';
import { createCustomer } from '../../src/customers/create.js';
import { createTestBilling, openTestEmulator } from '../support/emulator.js';
import { createFakeHost } from '../support/host.js';
import { openTestStore } from '../support/store.js';

describe('a customer who is subscribed at once', () => {
  it('is active, although no list shows the subscription yet', async () => {
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
    emulator.account.faults.set({ listLagSec: 60 });
    const billing = createTestBilling(emulator, host, meter.id);
    const order = { email: 'ada@example.com', name: null, subscribeTo: price.id };
    const { subscriptions } = await createCustomer({ store, billing, host }, order);
    expect(subscriptions).toMatchObject([{ status: 'active', priceId: price.id }]);
  });
});
