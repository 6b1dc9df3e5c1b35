/** Faults on demand: each kind as a client meets it, set from another process, replayed by a seed. */

import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { createFakeHost } from '../support/host.js';
import { createMeteredPrice, openTestEmulator, refusal } from './open-test-emulator.js';

describe('faults', () => {
  it('can be set by another process, changed one by one, and switched off', async () => {
    const first = await openTestEmulator();
    const second = await openTestEmulator({ databasePath: first.databasePath });
    second.emulator.account.faults.set({ rateLimited: 1 });
    second.emulator.account.faults.set({ retryAfterSec: 7 });
    expect(first.emulator.account.faults.get()).toMatchObject({
      rateLimited: 1,
      retryAfterSec: 7,
      latencyMs: 0,
    });
    expect(() => second.emulator.account.faults.set({ rateLimited: 1.5 })).toThrow();
    const error = await refusal(first.stripe.customers.list());
    expect(error).toBeInstanceOf(Stripe.errors.StripeRateLimitError);
    expect(error.headers).toMatchObject({ 'retry-after': '7', 'stripe-rate-limited-reason': 'global-rate' });
    expect(error.headers).not.toHaveProperty('stripe-should-retry');
    second.emulator.account.faults.reset();
    expect((await first.stripe.customers.list()).data).toEqual([]);
  });

  it('429: nothing is processed and nothing kept under the key', async () => {
    const { stripe, emulator } = await openTestEmulator();
    emulator.account.faults.set({ rateLimited: 1 });
    await refusal(stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' }));
    emulator.account.faults.reset();
    expect((await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' })).name).toBe('A');
  });

  it('500: kept under the key, whether or not the work was done', async () => {
    const { stripe, emulator } = await openTestEmulator();
    emulator.account.faults.set({ serverError: 1 });
    const error = await refusal(stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' }));
    expect(error).toMatchObject({ statusCode: 500, rawType: 'api_error' });
    for (let count = 0; count < 20; count += 1) await refusal(stripe.customers.create({ name: 'A' }));
    emulator.account.faults.reset();
    const replayed = await refusal(stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' }));
    expect(replayed).toMatchObject({ statusCode: 500 });
    expect(replayed.headers).toMatchObject({ 'idempotent-replayed': 'true', 'stripe-should-retry': 'false' });
    const done = (await stripe.customers.list({ limit: 100 })).data.length;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(21);
  });

  it('502: a page in HTML', async () => {
    const { stripe, emulator, request } = await openTestEmulator();
    emulator.account.faults.set({ badGateway: 1 });
    const answer = await request('/v1/customers');
    expect(answer.status).toBe(502);
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect((await refusal(stripe.customers.list())).message).toContain('Invalid JSON');
  });

  it('reset before: nothing is processed', async () => {
    const { stripe, emulator } = await openTestEmulator();
    emulator.account.faults.set({ resetBefore: 1 });
    const error = await refusal(stripe.customers.create({ name: 'A' }));
    expect(error).toBeInstanceOf(Stripe.errors.StripeConnectionError);
    emulator.account.faults.reset();
    expect((await stripe.customers.list()).data).toEqual([]);
  });

  it('reset after: processed once, the answer lost, and there again under the same key', async () => {
    const { stripe, emulator } = await openTestEmulator();
    emulator.account.faults.set({ resetAfter: 1 });
    const error = await refusal(stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' }));
    expect(error).toBeInstanceOf(Stripe.errors.StripeConnectionError);
    emulator.account.faults.reset();
    const found = await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'k' });
    expect((await stripe.customers.list()).data.map(({ id }) => id)).toEqual([found.id]);
  });

  it('latency: an answer takes as long as it is told', async () => {
    const { stripe, emulator, host } = await openTestEmulator();
    emulator.account.faults.set({ latencyMs: 1000 });
    let answered = false;
    const call = stripe.customers.list().then(() => {
      answered = true;
    });
    await expect.poll(() => host.clock.nowMs()).toBeGreaterThan(0);
    await host.advance(999);
    expect(answered).toBe(false);
    await expect
      .poll(async () => {
        await host.advance(1000);
        return answered;
      })
      .toBe(true);
    await call;
  });

  it('outage: every connection is reset until it is over', async () => {
    const { stripe, emulator, host } = await openTestEmulator();
    emulator.account.faults.set({ outageUntilMs: host.clock.nowMs() + 60_000 });
    expect(await refusal(stripe.customers.list())).toBeInstanceOf(Stripe.errors.StripeConnectionError);
    await host.advance(60_000);
    expect((await stripe.customers.list()).data).toEqual([]);
  });

  it('rate: so many requests a second', async () => {
    const { stripe, emulator, host } = await openTestEmulator();
    emulator.account.faults.set({ requestsPerSecond: 2 });
    await stripe.customers.list();
    await stripe.customers.list();
    expect(await refusal(stripe.customers.list())).toMatchObject({ statusCode: 429 });
    await host.advance(1000);
    await stripe.customers.list();
  });

  it('one call at a time for a customer and meter', async () => {
    const { stripe, emulator, host } = await openTestEmulator();
    await createMeteredPrice(stripe);
    const send = async (customer: string) =>
      stripe.billing.meterEvents.create({
        event_name: 'calls',
        payload: { stripe_customer_id: customer, value: '1' },
      });
    const one = (await stripe.customers.create({})).id;
    const two = (await stripe.customers.create({})).id;
    emulator.account.faults.set({ oneCallPerCustomerAndMeter: true, latencyMs: 100 });
    let outcomes: PromiseSettledResult<unknown>[] | undefined;
    void Promise.allSettled([send(one), send(one), send(two)]).then((settled) => {
      outcomes = settled;
    });
    await expect
      .poll(async () => {
        await host.advance(100);
        return outcomes?.map(({ status }) => status).sort();
      })
      .toEqual(['fulfilled', 'fulfilled', 'rejected']);
    const refused = outcomes?.find((outcome) => outcome.status === 'rejected');
    expect(refused?.reason).toMatchObject({
      statusCode: 429,
      headers: { 'stripe-rate-limited-reason': 'resource-specific' },
    });
    let v2: PromiseSettledResult<unknown>[] | undefined;
    const event = { event_name: 'calls', payload: { stripe_customer_id: one, value: '1' } };
    const twice = [stripe.v2.billing.meterEvents.create(event), stripe.v2.billing.meterEvents.create(event)];
    void Promise.allSettled(twice).then((settled) => {
      v2 = settled;
    });
    await expect.poll(async () => host.advance(100).then(() => v2?.length)).toBe(2);
    expect(v2?.find((outcome) => outcome.status === 'rejected')?.reason).toMatchObject({
      statusCode: 409,
      code: 'too_many_concurrent_requests',
    });
    emulator.account.faults.set({ latencyMs: 0 });
    await send(one);
  });

  it('replay with the seed', async () => {
    const outcomes = async (seed: number) => {
      const { request, emulator } = await openTestEmulator({ fakeHost: createFakeHost({ seed }) });
      emulator.account.faults.set({ rateLimited: 0.3, badGateway: 0.3, serverError: 0.3 });
      const statuses = [];
      for (let count = 0; count < 40; count += 1) statuses.push((await request('/v1/customers')).status);
      return statuses;
    };
    const first = await outcomes(7);
    expect(new Set(first)).toEqual(new Set([200, 429, 500, 502]));
    expect(await outcomes(7)).toEqual(first);
    expect(await outcomes(8)).not.toEqual(first);
  });
});
