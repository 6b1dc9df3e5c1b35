/** The examples run as they stand, over real connections, on a real ledger and the embedded Stripe. */

import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { fetchListener } from '../support/fetch-server.js';
import { submitForm } from '../support/form.js';
import { openShop, serve, type TestShop } from '../support/library.js';
import { createExpressApp } from './express.js';
import { createHandler } from './fetch.js';
import { createHonoApp } from './hono.js';
import { createSoldApp } from './hono-middleware.js';
import { createRoute } from './next-route.js';
import { createListener } from './node-http.js';

const url = 'http://127.0.0.1:3000';

function withKey({ key }: TestShop, body?: unknown): RequestInit {
  const headers = { authorization: `Bearer ${key}` };
  if (body === undefined) return { headers };
  return {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

async function routes({ json }: TestShop): Promise<Record<string, number>> {
  const { data } = await json<{ data: { route: string; units: number }[] }>('usage --by route');
  return Object.fromEntries(data.map(({ route, units }) => [route, units]));
}

describe('Express', () => {
  it('sells calls at what their handlers say', async () => {
    const seller = await openShop({}, { url });
    const app = await serve(createExpressApp(seller.shop));
    const time = await fetch(`${app}/v1/time`, withKey(seller));
    expect([time.status, time.headers.get('meterctl-units')]).toEqual([200, '1']);
    const chat = await fetch(`${app}/v1/chat`, withKey(seller, { prompt: 'one two three' }));
    expect(chat.headers.get('meterctl-units')).toBe('3');
    expect(chat.headers.get('content-length')).toBe('24');
    expect(await chat.json()).toEqual({ text: 'ONE TWO THREE' });
    const broken = await fetch(`${app}/v1/chat`, withKey(seller, { prompt: 7 }));
    expect([broken.status, broken.headers.get('meterctl-units')]).toEqual([500, '0']);
    const stream = await fetch(`${app}/v1/stream?prompt=a+b+c+d`, withKey(seller));
    expect(stream.headers.get('meterctl-units')).toBeNull();
    expect(await stream.text()).toBe('A\nB\nC\nD\n');
    await eventually(async () =>
      expect(await routes(seller)).toEqual({ 'GET /v1/time': 1, 'POST /v1/chat': 3, 'GET /v1/stream': 4 }),
    );
  });

  it('has the pages that buyers need', async () => {
    const seller = await openShop({}, { url });
    const app = await serve(createExpressApp(seller.shop));
    const session = (await (await fetch(`${app}/checkout`, { method: 'POST' })).json()) as { url: string };
    const paid = await submitForm(session.url, { email: 'bob@example.com' });
    const { pathname, search } = new URL(paid.headers.get('location') ?? '');
    const page = await (await submitForm(`${app}${pathname}${search}`)).text();
    const key = /<code id="api-key">([^<]+)<\/code>/.exec(page)?.[1];
    const call = await fetch(`${app}/v1/time`, { headers: { authorization: `Bearer ${key}` } });
    expect(call.status).toBe(200);
    expect((await fetch(`${app}/portal`)).headers.get('content-type')).toContain('text/html');
    const elsewhere = await fetch(`${app}/elsewhere`);
    expect([elsewhere.status, elsewhere.headers.get('x-powered-by')]).toEqual([404, 'Express']);
  });
});

it('node:http sells calls', async () => {
  const seller = await openShop({}, { url });
  const app = await serve(createListener(seller.shop));
  const call = await fetch(`${app}/?text=hello+world`, withKey(seller));
  expect([call.status, call.headers.get('meterctl-units')]).toEqual([200, '2']);
  expect(await call.text()).toBe('HELLO WORLD');
  expect((await fetch(`${app}/?text=hello`)).status).toBe(401);
  expect(await routes(seller)).toEqual({ 'GET /shout': 2 });
});

it('Hono sells calls', async () => {
  const seller = await openShop();
  const app = await serve(fetchListener(createHonoApp(seller.shop).fetch));
  const chat = await fetch(`${app}/v1/chat`, withKey(seller, { prompt: 'one two' }));
  expect(chat.headers.get('meterctl-units')).toBe('2');
  expect(await chat.json()).toEqual({ text: 'ONE TWO' });
  const stream = await fetch(`${app}/v1/stream?prompt=a+b+c`, withKey(seller));
  expect(await stream.text()).toBe('A\nB\nC\n');
  await eventually(async () => expect(await seller.usage()).toEqual({ units: 5, requests: 2 }));
});

it('Hono sells all below a path', async () => {
  const seller = await openShop();
  const app = await serve(fetchListener(createSoldApp(seller.shop).fetch));
  expect(await (await fetch(app)).text()).toBe('free');
  const chat = await fetch(`${app}/v1/chat`, withKey(seller, { prompt: 'one two' }));
  expect([chat.status, chat.headers.get('meterctl-units')]).toEqual([200, '2']);
  expect(await chat.json()).toEqual({ text: 'ONE TWO' });
  const broken = await fetch(`${app}/v1/chat`, withKey(seller, { prompt: 7 }));
  expect([broken.status, broken.headers.get('meterctl-units')]).toEqual([500, '0']);
  expect((await fetch(`${app}/v1/none`, withKey(seller))).status).toBe(404);
  const missing = await fetch(`${app}/v1/chat`, { method: 'POST' });
  expect([missing.status, missing.headers.get('content-type')]).toEqual([401, 'application/problem+json']);
  expect(await seller.usage()).toEqual({ units: 2, requests: 1 });
});

it('a route of Next sells calls', async () => {
  const seller = await openShop();
  const { POST } = createRoute(seller.shop);
  const context = { params: Promise.resolve({ id: 'm1' }) };
  const app = await serve(fetchListener((request) => POST(request, context)));
  const call = await fetch(app, withKey(seller, { prompt: 'one two' }));
  expect(call.headers.get('meterctl-units')).toBe('2');
  expect(await call.json()).toEqual({ id: 'm1', text: 'ONE TWO', customer: seller.customerId });
  const wrong = await fetch(app, withKey(seller, {}));
  expect([wrong.status, wrong.headers.get('meterctl-units')]).toEqual([422, '0']);
  expect(await routes(seller)).toEqual({ 'POST /v1/models/:id': 2 });
});

it('Request and Response sell a stream', async () => {
  const seller = await openShop();
  const app = await serve(fetchListener(createHandler(seller.shop)));
  const call = await fetch(`${app}/?prompt=a+b+c`, withKey(seller));
  expect(await call.text()).toBe('A\nB\nC\n');
  await eventually(async () => expect(await seller.usage()).toEqual({ units: 3, requests: 1 }));
});
