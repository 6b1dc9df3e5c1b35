/** The customer portal: configurations and sessions through the SDK, its pages as a browser uses them. */

import { describe, expect, it } from 'vitest';
import { type Billing, hourSec, openBilling } from '../billing/open-billing.js';
import { refusal } from '../open-test-emulator.js';

const features = {
  invoice_history: { enabled: true },
  payment_method_update: { enabled: true },
  subscription_cancel: { enabled: true, mode: 'at_period_end' },
} as const;

async function openPortal(billing: Billing) {
  const { stripe, customer, price } = billing;
  const { id: configuration } = await stripe.billingPortal.configurations.create({ features });
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
  });
  const session = await stripe.billingPortal.sessions.create({
    customer: customer.id,
    configuration,
    return_url: 'http://127.0.0.1:9/back',
  });
  return { subscription, session, configuration };
}

function post(url: string, form: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
}

describe('the portal’s API', () => {
  it('needs a configuration that is named: what the API makes is no default', async () => {
    const { stripe, customer } = await openBilling();
    const early = await refusal(stripe.billingPortal.sessions.create({ customer: customer.id }));
    expect(early.message).toContain('No configuration provided');
    const first = await stripe.billingPortal.configurations.create({ features, name: 'Main' });
    expect(first).toMatchObject({ active: true, is_default: false, name: 'Main', features });
    const second = await stripe.billingPortal.configurations.create({
      features: { invoice_history: { enabled: true } },
    });
    expect(second.is_default).toBe(false);
    const updated = await stripe.billingPortal.configurations.update(second.id, { active: false });
    expect(updated.active).toBe(false);
    expect(
      (await stripe.billingPortal.configurations.list({ active: true })).data.map(({ id }) => id),
    ).toEqual([first.id]);
    const unnamed = await refusal(stripe.billingPortal.sessions.create({ customer: customer.id }));
    expect(unnamed.message).toContain('No configuration provided');
    const off = { customer: customer.id, configuration: second.id };
    expect((await refusal(stripe.billingPortal.sessions.create(off))).message).toContain(second.id);
    const named = { customer: customer.id, configuration: first.id };
    const session = await stripe.billingPortal.sessions.create(named);
    expect(session).toMatchObject({ configuration: first.id, customer: customer.id, flow: null });
  });
});

describe('the portal', () => {
  it('shows subscriptions, the card and invoices, and the way back', async () => {
    const billing = await openBilling();
    const { session, configuration } = await openPortal(billing);
    await billing.use(3);
    await billing.advanceTo(Date.UTC(2026, 11, 10, 13) / 1000);
    const again = await billing.stripe.billingPortal.sessions.create({
      customer: billing.customer.id,
      configuration,
    });
    const page = await (await fetch(again.url)).text();
    expect(page).toContain('US$1.00 per call, billed monthly by usage');
    expect(page).toContain('Visa •••• 4242');
    expect(page).toContain('Next invoice on 10 January 2027');
    expect(page).toContain('US$3.00');
    const [invoice] = (await billing.stripe.invoices.list()).data;
    const hosted = await (await fetch(String(invoice?.hosted_invoice_url))).text();
    expect(hosted).toContain('3 call × Fire API (at $1.00 / month)');
    expect((await fetch(session.url)).status).toBe(410);
  });

  it('cancels by `cancel_at` alone, and takes it back', async () => {
    const billing = await openBilling();
    const { stripe } = billing;
    const { subscription, session } = await openPortal(billing);
    const confirm = await (await fetch(`${session.url}/cancel/${subscription.id}`)).text();
    expect(confirm).toContain('10 December 2026');
    const canceled = await post(`${session.url}/cancel`, { subscription: subscription.id });
    expect(canceled.status).toBe(303);
    expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
      status: 'active',
      cancel_at: subscription.items.data[0]?.current_period_end,
      cancel_at_period_end: false,
      cancellation_details: { reason: 'cancellation_requested' },
    });
    expect(await (await fetch(session.url)).text()).toContain('Ends on 10 December 2026');
    await post(`${session.url}/renew`, { subscription: subscription.id });
    expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
      cancel_at: null,
      canceled_at: null,
    });
  });

  it('changes the card, but not to one that is declined', async () => {
    const billing = await openBilling();
    const { stripe } = billing;
    const { subscription, session } = await openPortal(billing);
    const bad = await post(`${session.url}/payment_method`, {
      payment_method: 'pm_card_visa_chargeDeclined',
    });
    expect(bad.status).toBe(402);
    await post(`${session.url}/payment_method`, { payment_method: 'pm_card_mastercard' });
    const changed = await stripe.subscriptions.retrieve(subscription.id, {
      expand: ['default_payment_method'],
    });
    expect(changed.default_payment_method).toMatchObject({ card: { last4: '4444' } });
  });

  it('touches nobody else’s subscription', async () => {
    const billing = await openBilling();
    const { stripe, price } = billing;
    const { session } = await openPortal(billing);
    const other = await stripe.customers.create({ email: 'eve@example.com' });
    const theirs = await stripe.subscriptions.create({ customer: other.id, items: [{ price: price.id }] });
    await post(`${session.url}/cancel`, { subscription: theirs.id });
    expect((await stripe.subscriptions.retrieve(theirs.id)).cancel_at).toBeNull();
  });

  it('leads straight to a cancellation and back to where it was asked to', async () => {
    const billing = await openBilling();
    const { stripe, customer } = billing;
    const { subscription, configuration } = await openPortal(billing);
    const session = await stripe.billingPortal.sessions.create({
      customer: customer.id,
      configuration,
      flow_data: {
        type: 'subscription_cancel',
        subscription_cancel: { subscription: subscription.id },
        after_completion: { type: 'redirect', redirect: { return_url: 'http://127.0.0.1:9/sorry' } },
      },
    });
    expect(await (await fetch(session.url)).text()).toContain('Cancel your subscription?');
    const answer = await post(`${session.url}/cancel`, { subscription: subscription.id });
    expect(answer.headers.get('location')).toBe('http://127.0.0.1:9/sorry');
  });
});

describe('a hosted invoice', () => {
  it('that was sent is paid by its customer', async () => {
    const billing = await openBilling(null);
    const { stripe, customer, price } = billing;
    await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      collection_method: 'send_invoice',
      days_until_due: 14,
    });
    await billing.use(2);
    await billing.advanceTo(Date.UTC(2026, 11, 10, 12) / 1000 + hourSec);
    const [invoice] = (await stripe.invoices.list()).data;
    const url = String(invoice?.hosted_invoice_url);
    expect(await (await fetch(url)).text()).toContain('Pay US$2.00');
    expect((await post(url, { payment_method: 'pm_card_chargeCustomerFail' })).status).toBe(402);
    expect((await post(url, {})).status).toBe(303);
    expect((await stripe.invoices.retrieve(String(invoice?.id))).status).toBe('paid');
    expect(await (await fetch(url)).text()).not.toContain('Pay US$');
  });
});
