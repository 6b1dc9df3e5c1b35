import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { MeterctlError } from '../../src/domain/error.js';
import { createWebhookReader } from '../../src/stripe/webhook-signature.js';
import type { EventTarget } from '../../src/webhooks/event-target.js';
import { createInbox } from '../../src/webhooks/inbox.js';
import { eventually } from '../support/eventually.js';
import { createFakeHost } from '../support/host.js';
import { openTestStore } from '../support/store.js';

const running = new AbortController().signal;
const secret = 'whsec_first';

function sign(body: string | Uint8Array, key: string, atMs: number): string {
  const seconds = Math.floor(atMs / 1000);
  const digest = createHmac('sha256', key).update(`${seconds}.`).update(body).digest('hex');
  return `t=${seconds},v1=${digest}`;
}

function snapshot(id: string, type: string, object: object): string {
  return JSON.stringify({ id, object: 'event', type, created: 1_700_000_000, data: { object } });
}

async function setUp(apply: (target: EventTarget) => Promise<void> = async () => undefined) {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const applied: EventTarget[] = [];
  const inbox = createInbox({
    store,
    host,
    read: createWebhookReader([secret, 'whsec_second'], host.clock),
    async apply(target) {
      await apply(target);
      applied.push(target);
    },
  });
  const receive = (body: string | Uint8Array, key = secret, ageMs = 0) =>
    inbox.receive(Buffer.from(body), sign(body, key, host.clock.nowMs() - ageMs));
  return { host, store, inbox, applied, receive };
}

const deleted = snapshot('evt_1', 'customer.subscription.deleted', { id: 'sub_1', customer: 'cus_1' });

describe('the inbox', () => {
  it('takes what any configured secret has signed, once', async () => {
    const { receive, inbox, applied } = await setUp();
    expect(await receive(deleted)).toBe('first');
    expect(await receive(deleted, 'whsec_second')).toBe('seen');
    await inbox.tick(running);
    await inbox.tick(running);
    expect(applied).toEqual([{ kind: 'customer', customerId: 'cus_1', subscriptionId: 'sub_1' }]);
  });

  it.each([
    ['applied', async () => undefined],
    ['put off', () => Promise.reject(new Error('down'))],
  ])(
    'lets other work in between messages that are %s, of which each is a commit of its own',
    async (_, apply) => {
      const { receive, inbox, applied } = await setUp(apply);
      for (let number = 0; number < 30; number += 1)
        await receive(snapshot(`evt_${number}`, 'customer.updated', { id: 'cus_1' }));
      let [turns, ended] = [0, false];
      const turn = () => {
        turns += 1;
        if (!ended) setImmediate(turn);
      };
      turn();
      await inbox.tick(running);
      ended = true;
      expect(turns).toBeGreaterThanOrEqual(30);
      expect(applied.length).toBeLessThanOrEqual(1);
    },
  );

  it('reads thin bodies on the same route', async () => {
    const { receive, store } = await setUp();
    const thin = {
      id: 'evt_2',
      object: 'v2.core.event',
      type: 'v1.billing.meter.no_meter_found',
      created: '2026-11-22T08:00:00.000Z',
    };
    expect(await receive(JSON.stringify(thin))).toBe('first');
    expect(await store.findWebhook('evt_2')).toMatchObject({
      kind: 'thin',
      createdAtMs: Date.UTC(2026, 10, 22, 8),
    });
  });

  it.each<[string, string | Uint8Array, string, number, string]>([
    ['another secret', deleted, 'whsec_third', 0, 'unsigned'],
    ['an old signature', deleted, secret, 301_000, 'unsigned'],
    ['a signed body that is no JSON', '{', secret, 0, 'unreadable'],
    ['a signed body that is no event', '{"object":"charge","id":"ch_1"}', secret, 0, 'unreadable'],
    ['a signed null', 'null', secret, 0, 'unreadable'],
    ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22), secret, 0, 'unsigned'],
  ])('refuses %s', async (_, body, key, ageMs, receipt) => {
    const { receive, store } = await setUp();
    expect(await receive(body, key, ageMs)).toBe(receipt);
    expect((await store.listWebhooks({}, { limit: 1 })).data).toEqual([]);
  });

  it('refuses a body that was changed after it was signed', async () => {
    const { inbox, host } = await setUp();
    const signature = sign(deleted, secret, host.clock.nowMs());
    expect(await inbox.receive(Buffer.from(deleted.replace('cus_1', 'cus_2')), signature)).toBe('unsigned');
  });

  it('tries a message again that failed, without holding up the others', async () => {
    let broken = true;
    const { receive, inbox, applied, host, store } = await setUp(async (target) => {
      if (broken && target.kind === 'customer' && target.customerId === 'cus_1')
        throw new Error('Stripe is down');
    });
    await receive(deleted);
    await receive(snapshot('evt_3', 'customer.deleted', { id: 'cus_3' }));
    await inbox.tick(running);
    expect(applied).toEqual([{ kind: 'customer', customerId: 'cus_3' }]);
    expect(await store.findWebhook('evt_1')).toMatchObject({
      state: 'received',
      attempts: 1,
      reason: 'Stripe is down',
    });
    broken = false;
    host.jump(host.clock.nowMs() + 60_000);
    await inbox.tick(running);
    expect(applied).toHaveLength(2);
    expect(await store.findWebhook('evt_1')).toMatchObject({ state: 'applied' });
  });

  it('waits for nobody: what Stripe is slow about holds up no other message, in no round', async () => {
    const answered = new AbortController();
    const slow = once(answered.signal, 'abort').then(() => undefined);
    const { receive, inbox, applied, host } = await setUp((target) =>
      target.kind === 'customer' && target.customerId === 'cus_1' ? slow : Promise.resolve(),
    );
    inbox.start();
    await receive(deleted);
    await host.advance(0);
    await receive(snapshot('evt_3', 'customer.deleted', { id: 'cus_3' }));
    await eventually(async () => expect(applied).toEqual([{ kind: 'customer', customerId: 'cus_3' }]));
    answered.abort();
    await inbox.close();
    expect(applied).toHaveLength(2);
  });

  it('looks once for all messages about the same thing', async () => {
    const { receive, inbox, applied, store } = await setUp();
    for (const id of ['evt_1', 'evt_2', 'evt_3'])
      await receive(snapshot(id, 'invoice.paid', { id: 'in_1', customer: 'cus_1' }));
    await inbox.tick(running);
    expect(applied).toEqual([{ kind: 'customer', customerId: 'cus_1' }]);
    expect((await store.listWebhooks({ state: 'applied' }, { limit: 5 })).data).toHaveLength(3);
  });

  it('never gives up because of an outage, and goes on soon after it', async () => {
    let up = false;
    const { receive, inbox, host, store } = await setUp(async () => {
      if (!up) throw new MeterctlError('unavailable', 'Stripe could not be reached.');
    });
    await receive(deleted);
    for (let hour = 0; hour < 48; hour += 1) {
      await inbox.tick(running);
      host.jump(host.clock.nowMs() + 3_600_000);
    }
    expect(await store.findWebhook('evt_1')).toMatchObject({ state: 'received', attempts: 48 });
    up = true;
    await inbox.tick(running);
    expect(await store.findWebhook('evt_1')).toMatchObject({ state: 'applied' });
  });

  it('gives a poisoned message up in the end, and keeps it to be looked at', async () => {
    const { receive, inbox, host, store } = await setUp(() => Promise.reject(new Error('poison')));
    await receive(deleted);
    for (let attempt = 0; attempt < 15; attempt += 1) {
      await inbox.tick(running);
      host.jump(host.clock.nowMs() + 3_600_000);
    }
    expect(await store.findWebhook('evt_1')).toMatchObject({ state: 'failed', reason: 'poison' });
  });

  it('stores and acknowledges types that mean nothing to it', async () => {
    const { receive, inbox, applied } = await setUp();
    expect(await receive(snapshot('evt_9', 'charge.succeeded', { id: 'ch_1' }))).toBe('first');
    await inbox.tick(running);
    expect(applied).toEqual([{ kind: 'none' }]);
  });
});
