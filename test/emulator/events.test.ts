/** Events and webhooks: what is recorded, who gets it, how it is signed, retried, forwarded, doubled and reordered. */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Stripe from 'stripe';
import { describe, expect, it, onTestFinished } from 'vitest';
import { snapshotEventTypes, thinEventTypes } from '../../src/emulator/events/event-types.js';
import { openTestEmulator, refusal } from './open-test-emulator.js';

interface Received {
  body: string;
  signature: string;
  json: {
    id: string;
    object: string;
    type: string;
    api_version?: string;
    data?: { object: { id: string; name?: string } };
  };
}

/** A receiver of webhooks on a real socket. `status` decides each answer. */
async function openReceiver(status: (count: number) => number = () => 200) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      received.push({
        body,
        signature: String(request.headers['stripe-signature']),
        json: JSON.parse(body) as Received['json'],
      });
      response.writeHead(status(received.length)).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook` };
}

describe('the lists of types', () => {
  it('are those of the SDK', () => {
    const declared = (path: string) =>
      readFileSync(new URL(`../../node_modules/stripe/cjs/resources/${path}`, import.meta.url), 'utf8');
    const union = /type EnabledEvent = ([^;]+);/.exec(declared('WebhookEndpoints.d.ts'))?.[1] ?? '';
    const snapshot = [...union.matchAll(/'([a-z0-9_.]+)'/g)].map((match) => match[1]!);
    expect([...snapshotEventTypes].sort()).toEqual(snapshot.sort());
    const thin = [...declared('V2/Core/Events.d.ts').matchAll(/^ {4}type: '([^']+)';/gm)].map(
      (match) => match[1]!,
    );
    expect([...thinEventTypes].sort()).toEqual([...new Set(thin)].sort());
  });
});

describe('events', () => {
  it('tell what happened, on whose request, for 30 days', async () => {
    const { stripe, emulator } = await openTestEmulator();
    const customer = await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k1' });
    const [event] = (await stripe.events.list()).data;
    expect(event).toMatchObject({
      object: 'event',
      type: 'customer.created',
      api_version: '2026-10-28.endive',
      created: customer.created,
      pending_webhooks: 0,
      data: { object: { id: customer.id, name: 'A' } },
      request: { id: customer.lastResponse.requestId, idempotency_key: 'k1' },
    });
    expect((await stripe.events.retrieve(event!.id)).id).toBe(event!.id);
    emulator.account.clock.advanceTo(customer.created + 30 * 86_400 + 1);
    expect((await stripe.events.list()).data).toEqual([]);
    expect((await refusal(stripe.events.retrieve(event!.id))).statusCode).toBe(404);
  });

  it('are listed by type, walked forwards, and have a thin sibling', async () => {
    const { stripe } = await openTestEmulator();
    const customer = await stripe.customers.create({ name: 'A' });
    await stripe.customers.update(customer.id, { name: 'B' });
    await stripe.products.create({ name: 'P' });
    const types = async (params: Stripe.EventListParams) =>
      (await stripe.events.list(params)).data.map(({ type }) => type);
    expect(await types({ types: ['customer.updated', 'product.created'] })).toEqual([
      'product.created',
      'customer.updated',
    ]);
    expect(await types({ type: 'customer.*' })).toEqual(['customer.updated', 'customer.created']);
    expect((await refusal(stripe.events.list({ type: 'a', types: ['b'] }))).code).toBe(
      'parameters_exclusive',
    );
    const [first] = (await stripe.events.list({ type: 'customer.created' })).data;
    const since = await stripe.events
      .list({ ending_before: first!.id, limit: 1 })
      .autoPagingToArray({ limit: 9 });
    expect(since.map(({ type }) => type)).toEqual(['customer.updated', 'product.created']);
    const thin = await stripe.v2.core.events
      .list({ object_id: customer.id, limit: 1 })
      .autoPagingToArray({ limit: 9 });
    expect(thin.map(({ type }) => type)).toEqual(['v1.customer.updated', 'v1.customer.created']);
    expect(thin[1]).toMatchObject({
      snapshot_event: first!.id,
      related_object: { id: customer.id, type: 'customer', url: `/v1/customers/${customer.id}` },
      reason: { type: 'request' },
    });
  });
});

describe('webhook endpoints', () => {
  it('show their secret once and get what they asked for, signed', async () => {
    const { stripe, emulator, host } = await openTestEmulator();
    const { received, url } = await openReceiver();
    const endpoint = await stripe.webhookEndpoints.create({
      url,
      enabled_events: ['customer.created'],
      api_version: '2025-03-31.basil',
    });
    expect(endpoint.secret).toMatch(/^whsec_\w{32}$/);
    expect(await stripe.webhookEndpoints.retrieve(endpoint.id)).not.toHaveProperty('secret');
    const customer = await stripe.customers.create({ name: 'A' });
    await stripe.products.create({ name: 'P' });
    await emulator.tick();
    await expect.poll(() => received.length).toBe(1);
    const [webhook] = received;
    const event = stripe.webhooks.constructEvent(
      webhook!.body,
      webhook!.signature,
      endpoint.secret!,
      300,
      undefined,
      host.clock.nowMs(),
    );
    expect(event).toMatchObject({
      type: 'customer.created',
      api_version: '2025-03-31.basil',
      pending_webhooks: 1,
    });
    expect(event.data.object).toMatchObject({ id: customer.id });
    await expect.poll(async () => (await stripe.events.retrieve(event.id)).pending_webhooks).toBe(0);
  });

  it('refuse what is no URL, no event and no version, and more than sixteen', async () => {
    const { stripe } = await openTestEmulator();
    const create = (change: object) =>
      stripe.webhookEndpoints.create({ url: 'https://example.com', enabled_events: ['*'], ...change });
    expect((await refusal(create({ url: 'example.com' }))).code).toBe('url_invalid');
    expect((await refusal(create({ enabled_events: ['customer.exploded'] }))).param).toBe(
      'enabled_events[0]',
    );
    expect((await refusal(create({ enabled_events: ['v1.billing.meter.no_meter_found'] }))).param).toBe(
      'enabled_events[0]',
    );
    expect((await refusal(create({ api_version: '2030-01-01.future' }))).param).toBe('api_version');
    for (let count = 0; count < 16; count += 1) await create({});
    expect((await refusal(create({}))).message).toContain('16');
  });

  it('change, pause and go', async () => {
    const { stripe, emulator } = await openTestEmulator();
    const { received, url } = await openReceiver();
    const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ['*'] });
    expect((await stripe.webhookEndpoints.update(endpoint.id, { disabled: true })).status).toBe('disabled');
    await stripe.customers.create({ name: 'A' });
    await stripe.webhookEndpoints.update(endpoint.id, { disabled: false });
    expect(await stripe.webhookEndpoints.del(endpoint.id)).toMatchObject({ deleted: true });
    await stripe.customers.create({ name: 'B' });
    await emulator.tick();
    expect(received).toEqual([]);
  });

  it('are tried again, later and later, until they answer', async () => {
    const { stripe, emulator, host } = await openTestEmulator();
    const { received, url } = await openReceiver((count) => (count < 3 ? 500 : 200));
    await stripe.webhookEndpoints.create({ url, enabled_events: ['customer.created'] });
    await stripe.customers.create({ name: 'A' });
    await expect.poll(() => received.length).toBe(1);
    await expect
      .poll(async () => (await stripe.events.list({ delivery_success: false })).data.length)
      .toBe(1);
    await host.advance(999);
    await emulator.tick();
    expect(received).toHaveLength(1);
    await host.advance(1);
    await emulator.tick();
    expect(received).toHaveLength(2);
    await host.advance(2000);
    await emulator.tick();
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ json }) => json.id)).size).toBe(1);
    expect((await stripe.events.list({ delivery_success: false })).data).toEqual([]);
  });
});

describe('event destinations', () => {
  it('take thin events, secret and URL only on request', async () => {
    const { stripe, emulator, host } = await openTestEmulator();
    const { received, url } = await openReceiver();
    const destination = await stripe.v2.core.eventDestinations.create({
      name: 'thin',
      type: 'webhook_endpoint',
      event_payload: 'thin',
      enabled_events: ['v1.customer.created'],
      webhook_endpoint: { url },
      include: ['webhook_endpoint.signing_secret'],
    });
    const secret = destination.webhook_endpoint?.signing_secret;
    expect(secret).toMatch(/^whsec_/);
    expect(destination.webhook_endpoint?.url).toBeUndefined();
    const again = await stripe.v2.core.eventDestinations.retrieve(destination.id, {
      include: ['webhook_endpoint.url'],
    });
    expect(again.webhook_endpoint).toEqual({ url });
    const customer = await stripe.customers.create({ name: 'A' });
    await emulator.tick();
    await expect.poll(() => received.length).toBe(1);
    const notification = stripe.parseEventNotification(
      received[0]!.body,
      received[0]!.signature,
      secret!,
      300,
      undefined,
      host.clock.nowMs(),
    );
    expect(notification).toMatchObject({ type: 'v1.customer.created', related_object: { id: customer.id } });
    expect(received[0]!.json).not.toHaveProperty('data');
    expect(await notification.fetchEvent()).toMatchObject({ id: notification.id });
  });

  it('take snapshots too, can be switched, pinged, listed and deleted', async () => {
    const { stripe, emulator } = await openTestEmulator();
    const { received, url } = await openReceiver();
    const base = { name: 'snap', type: 'webhook_endpoint', webhook_endpoint: { url } } as const;
    const { id } = await stripe.v2.core.eventDestinations.create({
      ...base,
      event_payload: 'snapshot',
      enabled_events: ['customer.created'],
    });
    const wrong = await refusal(
      stripe.v2.core.eventDestinations.create({
        ...base,
        event_payload: 'thin',
        enabled_events: ['customer.created'],
      }),
    );
    expect(wrong.code).toBe('invalid_fields');
    await stripe.v2.core.eventDestinations.disable(id);
    await stripe.customers.create({ name: 'A' });
    expect((await stripe.v2.core.eventDestinations.enable(id)).status).toBe('enabled');
    await stripe.customers.create({ name: 'B' });
    await emulator.tick();
    await expect.poll(() => received.length).toBe(1);
    expect(received[0]!.json).toMatchObject({ object: 'event', data: { object: { name: 'B' } } });
    expect(await stripe.v2.core.eventDestinations.ping(id)).toMatchObject({
      type: 'v2.core.event_destination.ping',
    });
    expect((await stripe.v2.core.eventDestinations.list()).data).toHaveLength(1);
    expect(await stripe.v2.core.eventDestinations.del(id)).toMatchObject({ id });
    expect((await refusal(stripe.v2.core.eventDestinations.retrieve(id))).statusCode).toBe(404);
  });
});

describe('forwarding', () => {
  const secret = 'whsec_forward';

  it('gets every snapshot, and the thin events that repeat none, whoever emits', async () => {
    const { received, url } = await openReceiver();
    const daemon = await openTestEmulator({ forwardTo: { url, secret } });
    const other = await openTestEmulator({ databasePath: daemon.databasePath });
    await other.stripe.billing.meters.create({
      display_name: 'Calls',
      event_name: 'calls',
      default_aggregation: { formula: 'sum' },
    });
    await other.stripe.billing.meterEvents.create({ event_name: 'calls', payload: { value: '1' } });
    daemon.emulator.account.clock.advanceTo(other.emulator.account.clock.nowSec() + 10);
    await other.emulator.tick();
    expect(received).toEqual([]);
    await daemon.emulator.tick();
    await expect.poll(() => received.length).toBe(2);
    expect(received.map(({ json }) => json.type).sort()).toEqual([
      'billing.meter.created',
      'v1.billing.meter.error_report_triggered',
    ]);
    for (const { body, signature } of received)
      expect(() =>
        daemon.stripe.webhooks.signature?.verifyHeader(
          body,
          signature,
          secret,
          300,
          undefined,
          daemon.host.clock.nowMs(),
        ),
      ).not.toThrow();
  });

  it('catches up with what it missed while it was closed', async () => {
    const { received, url } = await openReceiver();
    const first = await openTestEmulator();
    await first.stripe.customers.create({ name: 'before' });
    const daemon = await openTestEmulator({ databasePath: first.databasePath, forwardTo: { url, secret } });
    await daemon.emulator.close();
    await first.stripe.customers.create({ name: 'meanwhile' });
    const again = await openTestEmulator({ databasePath: first.databasePath, forwardTo: { url, secret } });
    await again.emulator.tick();
    await expect.poll(() => received.length).toBe(1);
    expect(received[0]!.json.data?.object).toMatchObject({ name: 'meanwhile' });
  });

  it('is not doubled by two processes that send at once', async () => {
    const { received, url } = await openReceiver();
    const one = await openTestEmulator();
    const two = await openTestEmulator({ databasePath: one.databasePath });
    await one.stripe.webhookEndpoints.create({ url, enabled_events: ['customer.created'] });
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => one.stripe.customers.create({ name: `${index}` })),
    );
    await Promise.all([one.emulator.tick(), two.emulator.tick()]);
    await expect.poll(() => received.length).toBeGreaterThanOrEqual(30);
    expect(new Set(received.map(({ json }) => json.id)).size).toBe(30);
    expect(received).toHaveLength(30);
  });

  it('doubles and reorders on demand', async () => {
    const { received, url } = await openReceiver();
    const { stripe, emulator, host } = await openTestEmulator({ forwardTo: { url, secret } });
    emulator.account.faults.set({ duplicateWebhooks: 1 });
    await stripe.customers.create({ name: 'A' });
    await expect.poll(() => received.length).toBe(2);
    expect(received[0]!.json.id).toBe(received[1]!.json.id);
    emulator.account.faults.set({ duplicateWebhooks: 0, reorderWebhooks: 1 });
    await stripe.customers.create({ name: 'B' });
    await emulator.tick();
    emulator.account.faults.set({ reorderWebhooks: 0 });
    await stripe.customers.create({ name: 'C' });
    await emulator.tick();
    await host.advance(2000);
    await emulator.tick();
    await expect.poll(() => received.length).toBe(4);
    const names = received.slice(2).map(({ json }) => json.data?.object.name);
    expect(names).toEqual(['C', 'B']);
  });
});
