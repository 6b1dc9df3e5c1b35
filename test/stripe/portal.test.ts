/** Links into Stripe's billing portal, at an account whose operator never saved anything in the Dashboard. */

import { describe, expect, it } from 'vitest';
import { createTestStripe } from '../emulator/open-test-emulator.js';
import { createTestBilling, openTestEmulator } from '../support/emulator.js';
import { createFakeHost } from '../support/host.js';

describe('a link into the billing portal', () => {
  it('names the configuration, because one that the API made is no default', async () => {
    const host = createFakeHost();
    const emulator = await openTestEmulator(host);
    const billing = createTestBilling(emulator, host);
    const { id } = await createTestStripe(emulator).customers.create({});
    const link = () => billing.addPortalSession(id, 'http://127.0.0.1:9/back');
    await expect(link()).rejects.toMatchObject({ code: 'invalid' });
    await billing.addPortalConfiguration('once');
    expect(await link()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/p\/session\//);
  });
});
