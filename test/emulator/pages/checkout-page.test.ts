/** The hosted Checkout page, as a browser or an HTTP client submits it. */

import { describe, expect, it } from 'vitest';
import { type Billing, daySec, hourSec, openBilling } from '../billing/open-billing.js';

const successUrl = 'http://127.0.0.1:9/success?session_id={CHECKOUT_SESSION_ID}';

async function openSession(billing: Billing, more: object = {}) {
  const session = await billing.stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: billing.price.id }],
    success_url: successUrl,
    cancel_url: 'http://127.0.0.1:9/error',
    ...more,
  });
  return { ...session, url: String(session.url) };
}

function submit(url: string, form: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
}

describe('the Checkout page', () => {
  it('says what is bought, in plain HTML with no script and nothing from elsewhere', async () => {
    const billing = await openBilling();
    const session = await openSession(billing);
    const response = await fetch(session.url);
    const page = await response.text();
    expect(response.status).toBe(200);
    expect(page).toContain('Subscribe to Fire API');
    expect(page).toContain('US$1.00 per call, billed monthly by usage');
    expect(page).toContain('no real money moves');
    expect(page).toContain('href="http://127.0.0.1:9/error"');
    expect(page).toMatch(/http-equiv="Content-Security-Policy" content="default-src /);
    expect(page).not.toMatch(/<script|<link|<img/);
    expect(page).toMatch(/value="pm_card_visa" checked/);
  });

  it('makes customer, payment method and subscription, tells, and leads to the success page', async () => {
    const billing = await openBilling();
    const { stripe, price } = billing;
    const session = await openSession(billing, {
      metadata: { kept: 'here' },
      subscription_data: { metadata: { account: '7' } },
    });
    const response = await submit(session.url, { email: 'grace@example.com', name: 'Grace' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(`http://127.0.0.1:9/success?session_id=${session.id}`);
    const done = await stripe.checkout.sessions.retrieve(session.id, {
      expand: ['subscription', 'customer', 'line_items'],
    });
    expect(done).toMatchObject({
      status: 'complete',
      payment_status: 'no_payment_required',
      customer: { email: 'grace@example.com', name: 'Grace' },
      customer_details: { email: 'grace@example.com', name: 'Grace' },
      subscription: { status: 'active', metadata: { account: '7' } },
      metadata: { kept: 'here' },
    });
    const subscription = done.subscription;
    if (typeof subscription !== 'object' || subscription === null) throw new Error('not expanded');
    expect(subscription.items.data[0]?.price.id).toBe(price.id);
    const method = await stripe.paymentMethods.retrieve(String(subscription.default_payment_method));
    expect(method.card).toMatchObject({ brand: 'visa', last4: '4242' });
    expect(await billing.eventTypes()).toEqual(
      expect.arrayContaining([
        'customer.created',
        'customer.subscription.created',
        'checkout.session.completed',
      ]),
    );
    const [event] = (await stripe.events.list({ type: 'checkout.session.completed' })).data;
    expect(event?.data.object).toMatchObject({ id: session.id, subscription: subscription.id });
    expect(event?.data.object).not.toHaveProperty('line_items');
  });

  it('does everything once, however often it is submitted', async () => {
    const billing = await openBilling();
    const session = await openSession(billing);
    const form = { email: 'grace@example.com', payment_method: 'pm_card_visa' };
    const answers = await Promise.all([1, 2, 3].map(() => submit(session.url, form)));
    expect(answers.map((answer) => answer.status)).toEqual([303, 303, 303]);
    expect((await billing.stripe.subscriptions.list()).data).toHaveLength(1);
    const page = await fetch(session.url);
    expect(await page.text()).toContain('You are all done');
  });

  it('keeps a given customer, and its email', async () => {
    const billing = await openBilling();
    const session = await openSession(billing, { customer: billing.customer.id });
    expect(await (await fetch(session.url)).text()).toMatch(/value="ada@example.com" readonly/);
    await submit(session.url, { email: 'somebody@else.com' });
    const done = await billing.stripe.checkout.sessions.retrieve(session.id);
    expect(done.customer).toBe(billing.customer.id);
    expect((await billing.stripe.customers.list()).data).toHaveLength(1);
  });

  it('says what is wrong, and keeps what was typed', async () => {
    const billing = await openBilling();
    const session = await openSession(billing);
    const noMail = await submit(session.url, { email: '<b>nobody' });
    expect(noMail.status).toBe(422);
    const page = await noMail.text();
    expect(page).toContain('role="alert"');
    expect(page).toContain('value="&lt;b&gt;nobody"');
    const declined = await submit(session.url, {
      email: 'grace@example.com',
      payment_method: 'pm_card_visa_chargeDeclined',
    });
    expect(declined.status).toBe(402);
    expect(await declined.text()).toContain('Your card was declined.');
    const odd = await submit(session.url, { email: 'grace@example.com', payment_method: 'pm_gold' });
    expect(odd.status).toBe(402);
    expect((await billing.stripe.checkout.sessions.retrieve(session.id)).status).toBe('open');
    expect((await billing.stripe.customers.list()).data).toHaveLength(1);
  });

  it('says so when it is expired or unknown', async () => {
    const billing = await openBilling();
    const { url } = await openSession(billing, { expires_at: billing.now() + hourSec });
    await billing.advanceTo(billing.now() + daySec);
    expect((await fetch(url)).status).toBe(410);
    expect((await submit(url, { email: 'grace@example.com' })).status).toBe(410);
    expect((await fetch(`${billing.emulator.url}/c/pay/cs_test_x`)).status).toBe(404);
  });

  it('charges fees at once, and can do without a card where nothing is due', async () => {
    const billing = await openBilling();
    const { stripe, product, price } = billing;
    const fee = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 2900,
      product: product.id,
      recurring: { interval: 'month' },
    });
    const paid = await openSession(billing, {
      line_items: [{ price: fee.id, quantity: 2 }, { price: price.id }],
    });
    expect(paid.amount_total).toBe(5800);
    const bad = await submit(paid.url, { email: 'a@b.co', payment_method: 'pm_card_chargeCustomerFail' });
    expect(bad.status).toBe(402);
    await submit(paid.url, { email: 'a@b.co' });
    const done = await stripe.checkout.sessions.retrieve(paid.id, { expand: ['invoice'] });
    expect(done).toMatchObject({ payment_status: 'paid', invoice: { status: 'paid', total: 5800 } });
    const free = await openSession(billing, { payment_method_collection: 'if_required' });
    await submit(free.url, { email: 'a@b.co', payment_method: 'none' });
    const without = await stripe.checkout.sessions.retrieve(free.id, { expand: ['subscription'] });
    expect(without.subscription).toMatchObject({ status: 'active', default_payment_method: null });
  });
});

describe('a bank debit', () => {
  it.each([
    ['pm_usBankAccount_success', 'checkout.session.async_payment_succeeded', 'no_payment_required'],
    ['pm_usBankAccount_insufficientFunds', 'checkout.session.async_payment_failed', 'unpaid'],
  ])('%s is unpaid until the bank has answered', async (method, type, after) => {
    const billing = await openBilling();
    const session = await openSession(billing);
    await submit(session.url, { email: 'grace@example.com', payment_method: method });
    expect((await billing.stripe.checkout.sessions.retrieve(session.id)).payment_status).toBe('unpaid');
    expect(await billing.eventTypes()).not.toContain(type);
    await billing.advanceTo(billing.now() + 120);
    expect((await billing.eventTypes()).filter((each) => each === type)).toHaveLength(1);
    expect((await billing.stripe.checkout.sessions.retrieve(session.id)).payment_status).toBe(after);
  });

  it('that bounces makes a subscription with a fee past due', async () => {
    const billing = await openBilling();
    const { stripe, product } = billing;
    const fee = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 2900,
      product: product.id,
      recurring: { interval: 'month' },
    });
    const session = await openSession(billing, { line_items: [{ price: fee.id, quantity: 1 }] });
    await submit(session.url, { email: 'a@b.co', payment_method: 'pm_usBankAccount_insufficientFunds' });
    const { subscription } = await stripe.checkout.sessions.retrieve(session.id);
    expect((await stripe.subscriptions.retrieve(String(subscription))).status).toBe('active');
    await billing.advanceTo(billing.now() + 120);
    expect((await stripe.subscriptions.retrieve(String(subscription))).status).toBe('past_due');
  });
});
