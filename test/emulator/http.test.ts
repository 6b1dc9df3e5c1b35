/** What every call meets: credentials, Stripe's error shape, strict parameters, idempotency, lists, expansion. */

import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { createTestStripe, openTestEmulator, refusal } from './open-test-emulator.js';

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

describe('credentials', () => {
  it('takes any test key, as Bearer or Basic', async () => {
    const { emulator } = await openTestEmulator();
    const account = await createTestStripe(emulator, 'rk_test_restricted').accounts.retrieveCurrent();
    expect(account.id).toMatch(/^acct_\w{16}$/);
    const basic = `Basic ${Buffer.from('sk_test_x:').toString('base64')}`;
    const answer = await fetch(`${emulator.url}/v1/account`, { headers: { Authorization: basic } });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ id: account.id });
  });

  it('refuses no key, a live key and a publishable key as Stripe does', async () => {
    const { emulator } = await openTestEmulator();
    const answer = await fetch(`${emulator.url}/v1/account`);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({
      error: {
        type: 'invalid_request_error',
        message: expect.stringContaining('You did not provide an API key'),
      },
    });
    const live = await refusal(
      createTestStripe(emulator, 'sk_live_1234567890abcd').accounts.retrieveCurrent(),
    );
    expect(live).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
    expect(live.message).toMatch(/^Invalid API Key provided: sk_live_\*+abcd$/);
    const publishable = await refusal(createTestStripe(emulator, 'pk_test_x').accounts.retrieveCurrent());
    expect(publishable.statusCode).toBe(403);
  });
});

describe('errors', () => {
  it('names an unknown URL, with a request id', async () => {
    const { request } = await openTestEmulator();
    const answer = await request('/v1/nothing');
    expect(answer.status).toBe(404);
    expect(answer.headers.get('request-id')).toMatch(/^req_\w{14}$/);
    expect(answer.headers.get('stripe-version')).toBe('2026-10-28.endive');
    const { error } = (await answer.json()) as { error: { message: string } };
    expect(error.message).toContain('Unrecognized request URL (GET: /v1/nothing).');
  });

  it('names unknown, missing and wrong parameters', async () => {
    const { request, stripe } = await openTestEmulator();
    const post = async (path: string, body: string) =>
      (await (await request(path, { method: 'POST', body, headers: form })).json()) as object;
    expect(await post('/v1/customers', 'foo=1&email=a@b.co')).toMatchObject({
      error: {
        type: 'invalid_request_error',
        code: 'parameter_unknown',
        message: 'Received unknown parameter: foo',
        param: 'foo',
        doc_url: 'https://docs.stripe.com/error-codes#parameter_unknown',
      },
    });
    expect(await post('/v1/prices', 'currency=usd&recurring[interval]=month&recurring[a]=1')).toMatchObject({
      error: { code: 'parameter_unknown', param: 'recurring[a]' },
    });
    expect(await post('/v1/products', '')).toMatchObject({
      error: { code: 'parameter_missing', message: 'Missing required param: name.', param: 'name' },
    });
    expect(await post('/v1/products', 'name=')).toMatchObject({
      error: { code: 'parameter_invalid_empty', param: 'name' },
    });
    expect(await post('/v1/customers', 'balance=1.5')).toMatchObject({
      error: { code: 'parameter_invalid_integer', message: 'Invalid integer: 1.5', param: 'balance' },
    });
    expect(await post('/v1/products', 'name=A&active=yes')).toMatchObject({
      error: { message: 'Invalid boolean: yes', param: 'active' },
    });
    expect(await post('/v1/customers', 'address=here')).toMatchObject({
      error: { message: 'Invalid object', param: 'address' },
    });
    const missing = await refusal(stripe.prices.retrieve('price_x'));
    expect(missing).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
    expect(missing).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      message: "No such price: 'price_x'",
    });
  });

  it('refuses a JSON body on v1 and one that is too large', async () => {
    const { request } = await openTestEmulator();
    const json = { 'Content-Type': 'application/json' };
    const wrong = await request('/v1/products', { method: 'POST', body: '{"name":"A"}', headers: json });
    expect(await wrong.json()).toMatchObject({
      error: { message: expect.stringContaining('check that your POST content type') },
    });
    const large = await request('/v1/products', {
      method: 'POST',
      body: `name=${'a'.repeat(2 ** 21)}`,
      headers: form,
    });
    expect(large.status).toBe(413);
  });
});

describe('idempotency keys', () => {
  it('replay the first answer to the same call', async () => {
    const { stripe, host, emulator } = await openTestEmulator();
    const options = { idempotencyKey: 'once' };
    const first = await stripe.customers.create({ email: 'a@b.co', name: 'A' }, options);
    const second = await stripe.customers.create({ name: 'A', email: 'a@b.co' }, options);
    expect(second.id).toBe(first.id);
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect((await stripe.customers.list()).data).toHaveLength(1);
    emulator.account.clock.advanceTo(Math.floor(host.clock.nowMs() / 1000) + 24 * 3600 + 1);
    const later = await stripe.customers.create({ email: 'a@b.co', name: 'A' }, options);
    expect(later.id).not.toBe(first.id);
  });

  it('refuse other parameters and another endpoint', async () => {
    const { stripe } = await openTestEmulator();
    const options = { idempotencyKey: 'once' };
    await stripe.customers.create({ name: 'A' }, options);
    const other = await refusal(stripe.customers.create({ name: 'B' }, options));
    expect(other).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
    expect(other.message).toContain('the same parameters they were first used with');
    const elsewhere = await refusal(stripe.products.create({ name: 'A' }, options));
    expect(elsewhere.message).toContain("('/v1/products' vs '/v1/customers')");
  });

  it('keep no answer of a call whose parameters were wrong', async () => {
    const { stripe } = await openTestEmulator();
    const options = { idempotencyKey: 'once' };
    await refusal(stripe.products.create({ name: '' }, options));
    expect((await stripe.products.create({ name: 'A' }, options)).name).toBe('A');
  });

  it('answer 409 while the first call runs', async () => {
    const { stripe, emulator, host } = await openTestEmulator();
    emulator.account.faults.set({ latencyMs: 50 });
    const options = { idempotencyKey: 'once' };
    const first = stripe.customers.create({ name: 'A' }, options);
    const second = await refusal(stripe.customers.create({ name: 'A' }, options));
    expect(second).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
    await host.advance(50);
    expect((await first).name).toBe('A');
  });
});

describe('lists', () => {
  it('are newest first, cut in pages, and walked both ways by the SDK', async () => {
    const { stripe } = await openTestEmulator();
    const ids: string[] = [];
    for (let count = 0; count < 25; count += 1)
      ids.unshift((await stripe.customers.create({ name: `${count}` })).id);
    const page = await stripe.customers.list();
    expect(page).toMatchObject({ object: 'list', has_more: true, url: '/v1/customers' });
    expect(page.data.map(({ id }) => id)).toEqual(ids.slice(0, 10));
    const all = await stripe.customers.list({ limit: 7 }).autoPagingToArray({ limit: 100 });
    expect(all.map(({ id }) => id)).toEqual(ids);
    const back = await stripe.customers.list({ limit: 3, ending_before: ids[10]! });
    expect(back.data.map(({ id }) => id)).toEqual(ids.slice(7, 10));
    expect(back.has_more).toBe(true);
  });

  it('refuse impossible limits, cursors and ranges', async () => {
    const { stripe } = await openTestEmulator();
    expect((await refusal(stripe.customers.list({ limit: 0 }))).code).toBe('parameter_invalid_integer');
    expect((await refusal(stripe.customers.list({ limit: 101 }))).code).toBe('parameter_invalid_integer');
    const cursor = await refusal(stripe.customers.list({ starting_after: 'cus_x' }));
    expect(cursor).toMatchObject({ code: 'resource_missing', param: 'starting_after', statusCode: 400 });
    const both = await refusal(stripe.customers.list({ starting_after: 'cus_x', ending_before: 'cus_y' }));
    expect(both.code).toBe('parameters_exclusive');
  });

  it('filter by created', async () => {
    const { stripe, emulator } = await openTestEmulator();
    const old = await stripe.customers.create({ name: 'old' });
    emulator.account.clock.advanceTo(old.created + 100);
    const young = await stripe.customers.create({ name: 'young' });
    const named = async (created: Stripe.RangeQueryParam | number) =>
      (await stripe.customers.list({ created })).data.map(({ name }) => name);
    expect(await named({ gt: old.created })).toEqual(['young']);
    expect(await named({ gte: old.created, lt: young.created })).toEqual(['old']);
    expect(await named(young.created)).toEqual(['young']);
  });
});

describe('expand', () => {
  it('puts related objects in, nested and in lists, and refuses what is no relation', async () => {
    const { stripe } = await openTestEmulator();
    const product = await stripe.products.create({ name: 'API' });
    const price = await stripe.prices.create({ currency: 'usd', unit_amount: 5, product: product.id });
    await stripe.products.update(product.id, { default_price: price.id });
    const nested = await stripe.prices.retrieve(price.id, { expand: ['product.default_price'] });
    expect(nested.product).toMatchObject({ id: product.id, default_price: { id: price.id, unit_amount: 5 } });
    const list = await stripe.prices.list({ expand: ['data.product'] });
    expect(list.data[0]?.product).toMatchObject({ name: 'API' });
    const wrong = await refusal(stripe.prices.retrieve(price.id, { expand: ['currency'] }));
    expect(wrong.message).toBe('This property cannot be expanded (currency).');
    const deep = await refusal(stripe.prices.retrieve(price.id, { expand: ['a.b.c.d.e'] }));
    expect(deep.message).toContain('more than 4 levels');
  });
});

describe('two processes on one file', () => {
  it('see one account, one clock and one set of keys', async () => {
    const first = await openTestEmulator();
    const second = await openTestEmulator({ databasePath: first.databasePath });
    expect(second.emulator.account.id).toBe(first.emulator.account.id);
    const customer = await first.stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' });
    expect((await second.stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' })).id).toBe(
      customer.id,
    );
    first.emulator.account.clock.advanceTo(customer.created + 1000);
    expect((await second.stripe.customers.create({ name: 'B' })).created).toBe(customer.created + 1000);
  });
});
