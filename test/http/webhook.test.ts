import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openDaemon, type TestDaemon, webhookSecret } from '../support/daemon.js';
import { eventually } from '../support/eventually.js';

function sign(body: string | Uint8Array, secret = webhookSecret, ageSec = 0): string {
  const seconds = Math.floor(Date.now() / 1000) - ageSec;
  const digest = createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex');
  return `t=${seconds},v1=${digest}`;
}

function post(daemon: TestDaemon, body: string | Uint8Array, signature?: string): Promise<Response> {
  return fetch(`${daemon.url}/webhook`, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: {
      'content-type': 'application/json',
      ...(signature === undefined ? {} : { 'stripe-signature': signature }),
    },
  });
}

function event(id: string, type: string, object: object): string {
  return JSON.stringify({
    ...{ id, object: 'event', type, created: Math.floor(Date.now() / 1000) },
    data: { object },
  });
}

async function stored(daemon: TestDaemon): Promise<{ id: string; state: string }[]> {
  return (await daemon.json<{ data: { id: string; state: string }[] }>('webhooks list')).data;
}

const unknown = event('evt_1', 'customer.subscription.updated', { id: 'sub_x', customer: 'cus_unknown' });

describe('POST /webhook', () => {
  it('stores what is signed, once, before it answers 200', async () => {
    const daemon = await openDaemon({ webhooks: false });
    for (let count = 0; count < 3; count += 1) {
      const answer = await post(daemon, unknown, sign(unknown));
      expect(answer.status).toBe(200);
    }
    expect(await stored(daemon)).toMatchObject([{ id: 'evt_1' }]);
    // A customer who is unknown here and has no subscription of ours is none of our business.
    await eventually(async () => expect(await stored(daemon)).toMatchObject([{ state: 'applied' }]));
    expect(await daemon.json('customers list')).toMatchObject({ data: [] });
  });

  it('takes thin bodies and types that mean nothing here, too', async () => {
    const daemon = await openDaemon({ webhooks: false });
    const thin = JSON.stringify({
      ...{ id: 'evt_thin', object: 'v2.core.event', type: 'v1.account.updated' },
      created: '2026-11-22T08:00:00.000Z',
    });
    const odd = event('evt_odd', 'invoice.paid', { id: 7, customer: { id: 'not a text' } });
    const none = JSON.stringify({ id: 'evt_none', object: 'event', type: 'customer.deleted', created: 1 });
    for (const body of [thin, odd, none]) expect((await post(daemon, body, sign(body))).status).toBe(200);
    await eventually(async () =>
      expect((await stored(daemon)).map(({ state }) => state)).toEqual(['applied', 'applied', 'applied']),
    );
  });

  it.each<[string, string | Uint8Array, (body: string | Uint8Array) => string | undefined, string]>([
    ['no signature', unknown, () => undefined, 'invalid_signature'],
    ['a forged signature', unknown, (body) => sign(body, 'whsec_other'), 'invalid_signature'],
    ['a stale signature', unknown, (body) => sign(body, webhookSecret, 301), 'invalid_signature'],
    ['garbage for a signature', unknown, () => 'v1=,t=x,,', 'invalid_signature'],
    ['a truncated body', unknown.slice(0, -9), () => sign(unknown), 'invalid_signature'],
    ['a signed body that is empty', '', (body) => sign(body), 'invalid_request'],
    ['a signed body that is cut off', '{"id":"evt_1"', (body) => sign(body), 'invalid_request'],
    ['a signed body that is no event', '[]', (body) => sign(body), 'invalid_request'],
    [
      'bytes that are no UTF-8',
      Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d),
      (body) => sign(body),
      'invalid_signature',
    ],
  ])('refuses %s', async (_, body, signature, code) => {
    const daemon = await openDaemon({ webhooks: false });
    const answer = await post(daemon, body, signature(body));
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({ code });
    expect(await stored(daemon)).toEqual([]);
  });

  it('refuses bodies above 1 MB, signed or not, and serves on', async () => {
    const daemon = await openDaemon({ webhooks: false });
    for (const size of [1024 * 1024 + 1, 10_000_000]) {
      const body = new Uint8Array(size).fill(0x20);
      const answer = await post(daemon, body, sign(body));
      expect(answer.status).toBe(413);
      expect(await answer.json()).toMatchObject({ code: 'payload_too_large' });
    }
    const large = event('evt_large', 'customer.updated', { id: 'cus_x', name: 'x'.repeat(900_000) });
    expect((await post(daemon, large, sign(large))).status).toBe(200);
  });

  it('brings a subscriber here who was made elsewhere', async () => {
    const daemon = await openDaemon();
    const [price] = (await daemon.stripe.prices.list()).data;
    const customer = await daemon.stripe.customers.create({ email: 'eve@example.com' });
    await daemon.stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price!.id }],
      collection_method: 'send_invoice',
      days_until_due: 30,
    });
    await eventually(async () =>
      expect(await daemon.json(`customers show ${customer.id}`)).toMatchObject({ status: 'active' }),
    );
  });

  it('warns once of a customer whom Stripe would bill twice, however he came to it', async () => {
    const daemon = await openDaemon();
    const { id } = await daemon.json<{ id: string }>('customers create --email ada@example.com --subscribe');
    const [price] = (await daemon.stripe.prices.list()).data;
    const second = await daemon.stripe.subscriptions.create({
      customer: id,
      items: [{ price: price!.id }],
      collection_method: 'send_invoice',
      days_until_due: 30,
    });
    const warnings = () => daemon.logged.filter(({ message }) => message.includes('on each of them'));
    await eventually(async () => expect(warnings()).toHaveLength(1));
    expect(warnings()[0]?.fields).toMatchObject({
      customer: id,
      subscriptions: expect.stringContaining(second.id),
    });
    await daemon.stripe.subscriptions.update(second.id, { metadata: { seen: 'again' } });
    await daemon.stripe.subscriptions.cancel(second.id);
    await eventually(async () =>
      expect(await daemon.json(`customers show ${id}`)).toMatchObject({ status: 'active' }),
    );
    expect(warnings()).toHaveLength(1);
  });

  it('warns once of a status that nobody knows, and gives no access by it', async () => {
    const daemon = await openDaemon();
    const { id } = await daemon.json<{ id: string }>('customers create --email ada@example.com --subscribe');
    const { account } = daemon.emulator;
    const [subscription] = account.objects.all('subscription', { fields: { customer: id } });
    for (const status of ['hibernating', 'hibernating', 'active']) {
      // The type is Stripe's list of today, and the wire is not bound to it.
      const changed = { ...subscription!, status: status as 'active', description: `${Math.random()}` };
      account.objects.put('subscription', changed);
      account.emit('customer.subscription.updated', changed);
      const expected = status === 'active' ? 'active' : 'inactive';
      await eventually(async () =>
        expect(await daemon.json(`customers show ${id}`)).toMatchObject({ status: expected }),
      );
    }
    const warnings = daemon.logged.filter(({ message }) => message.includes('status that is not known'));
    expect(warnings).toMatchObject([{ fields: { status: 'hibernating' } }]);
  });
});
