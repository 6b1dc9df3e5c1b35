/** Checkout sessions through the real SDK: what they take, what they refuse, how they end. */

import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { refusal } from '../open-test-emulator.js';
import { daySec, hourSec, openBilling } from './open-billing.js';

const urls = {
  success_url: 'http://127.0.0.1:9/success?session_id={CHECKOUT_SESSION_ID}',
  cancel_url: 'http://127.0.0.1:9/error',
};

describe('a Checkout session', () => {
  it('is open for a day, hides its line items, and knows nothing of payment method types', async () => {
    const { stripe, price, now, emulator } = await openBilling();
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: price.id }],
      client_reference_id: 'acct-7',
      metadata: { a: '1' },
      ...urls,
    });
    expect(session.id).toMatch(/^cs_test_/);
    expect(session).toMatchObject({
      object: 'checkout.session',
      status: 'open',
      payment_status: 'unpaid',
      amount_total: 0,
      currency: 'usd',
      expires_at: now() + daySec,
      url: `${emulator.url}/c/pay/${session.id}`,
      client_reference_id: 'acct-7',
      metadata: { a: '1' },
      customer: null,
    });
    expect(session).not.toHaveProperty('line_items');
    expect(session).not.toHaveProperty('subscription_data');
    const expanded = await stripe.checkout.sessions.retrieve(session.id, { expand: ['line_items'] });
    expect(expanded.line_items?.data[0]).toMatchObject({ price: { id: price.id }, amount_total: 0 });
    const listed = await stripe.checkout.sessions.listLineItems(session.id);
    expect(listed.data).toHaveLength(1);
  });

  it('refuses what Stripe refuses, in its words', async () => {
    const { stripe, price, product, customer, now } = await openBilling();
    const licensed = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 900,
      product: product.id,
      recurring: { interval: 'month' },
    });
    const good: Stripe.Checkout.SessionCreateParams = {
      mode: 'subscription',
      line_items: [{ price: price.id }],
      ...urls,
    };
    const refused = (change: object) => refusal(stripe.checkout.sessions.create({ ...good, ...change }));
    expect((await refused({ line_items: [{ price: price.id, quantity: 1 }] })).message).toBe(
      'Quantity should not be specified where usage_type is `metered`. Remove quantity from `line_items[0]`',
    );
    expect((await refused({ line_items: [{ price: licensed.id }] })).message).toBe(
      'Quantity is required. Add `quantity` to `line_items[0]`',
    );
    expect(await refused({ line_items: [] })).toMatchObject({
      code: 'parameter_missing',
      param: 'line_items',
    });
    expect(await refused({ payment_method_types: ['card'] })).toMatchObject({
      code: 'parameter_unknown',
      param: 'payment_method_types',
    });
    expect(await refused({ customer: customer.id, customer_email: 'a@b.c' })).toMatchObject({
      code: 'parameters_exclusive',
    });
    expect(await refused({ customer: 'cus_x' })).toMatchObject({
      code: 'resource_missing',
      param: 'customer',
    });
    expect((await refused({ expires_at: now() + 60 })).param).toBe('expires_at');
    expect((await refused({ expires_at: now() + 2 * daySec })).param).toBe('expires_at');
    expect((await refused({ ui_mode: 'hosted' })).param).toBe('ui_mode');
    expect((await refused({ mode: 'payment' })).param).toBe('mode');
    expect((await refused({ success_url: 'nowhere' })).message).toBe('Not a valid URL');
    expect((await refused({ success_url: undefined })).code).toBe('parameter_missing');
  });

  it('expires by itself, or on demand, once', async () => {
    const { stripe, price, now, advanceTo, eventTypes } = await openBilling();
    const make = () =>
      stripe.checkout.sessions.create({
        mode: 'subscription',
        line_items: [{ price: price.id }],
        expires_at: now() + hourSec,
        ...urls,
      });
    const [first, second] = [await make(), await make()];
    expect(await stripe.checkout.sessions.expire(first.id)).toMatchObject({ status: 'expired', url: null });
    expect((await refusal(stripe.checkout.sessions.expire(first.id))).message).toContain('status of expired');
    await advanceTo(now() + hourSec);
    expect((await stripe.checkout.sessions.retrieve(second.id)).status).toBe('expired');
    expect((await eventTypes()).filter((type) => type === 'checkout.session.expired')).toHaveLength(2);
  });
});
