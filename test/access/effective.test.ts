/** How soon access follows Stripe, in a running daemon. */

import { describe, expect, it } from 'vitest';
import { openDaemon, type TestDaemon } from '../support/daemon.js';
import { eventually } from '../support/eventually.js';

async function subscriber(daemon: TestDaemon) {
  const { id } = await daemon.json<{ id: string }>('customers create --email ada@example.com --subscribe');
  const { key } = await daemon.json<{ key: string }>(`keys create --customer ${id}`);
  const call = () => fetch(`${daemon.url}/api`, { headers: { authorization: `Bearer ${key}` } });
  expect((await call()).status).toBe(200);
  return { id, call };
}

/** Puts the subscription into another status, as Stripe's own rules would in time. */
function become(daemon: TestDaemon, customer: string, status: 'active' | 'past_due' | 'unpaid' | 'paused') {
  const { account } = daemon.emulator;
  const [subscription] = account.objects.all('subscription', { fields: { customer } });
  const changed = { ...subscription!, status };
  account.objects.put('subscription', changed);
  account.emit('customer.subscription.updated', changed);
}

describe('access', () => {
  it('follows every change within a second of the event, and the key stays', async () => {
    const daemon = await openDaemon();
    const { id, call } = await subscriber(daemon);
    const expected = [
      ['unpaid', 402, 'payment_required'],
      ['active', 200, undefined],
      ['paused', 402, 'subscription_inactive'],
      ['active', 200, undefined],
    ] as const;
    for (const [status, answer, code] of expected) {
      become(daemon, id, status);
      const changedAtMs = Date.now();
      const got = await eventually(async () => {
        const response = await call();
        expect(response.status).toBe(answer);
        return response;
      });
      expect(Date.now() - changedAtMs).toBeLessThan(1_000);
      if (code) expect(await got.json()).toMatchObject({ code });
    }
  });

  it('hangs on a grace while a payment is late, says so, and then ends', async () => {
    const daemon = await openDaemon({ config: { access: { pastDueGrace: '3s' } } });
    const { id, call } = await subscriber(daemon);
    become(daemon, id, 'past_due');
    await eventually(async () => {
      const answer = await call();
      expect([answer.status, answer.headers.get('meterctl-warning')]).toEqual([200, 'past_due']);
    });
    await eventually(async () =>
      expect(await (await call()).json()).toMatchObject({ code: 'payment_required' }),
    );
    become(daemon, id, 'active');
    await eventually(async () => {
      const answer = await call();
      expect([answer.status, answer.headers.get('meterctl-warning')]).toEqual([200, null]);
    });
  });

  it('follows Stripe without any webhook, as often as it is asked', async () => {
    const daemon = await openDaemon({ webhooks: false, config: { webhooks: { poll: '1s' } } });
    const { id, call } = await subscriber(daemon);
    become(daemon, id, 'unpaid');
    await eventually(async () => expect((await call()).status).toBe(402));
    become(daemon, id, 'active');
    await eventually(async () => expect((await call()).status).toBe(200));
  });
});
