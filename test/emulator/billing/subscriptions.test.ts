/** Subscriptions through the real SDK: their start, their shape, changes and ends. */

import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { refusal } from '../open-test-emulator.js';
import { daySec, openBilling } from './open-billing.js';

describe('a subscription to a metered price', () => {
  it('is active at once, without an invoice, with its period on the item', async () => {
    const { stripe, customer, price, now } = await openBilling();
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      metadata: { plan: 'fire' },
    });
    expect(subscription).toMatchObject({
      object: 'subscription',
      status: 'active',
      latest_invoice: null,
      billing_mode: { type: 'flexible' },
      metadata: { plan: 'fire' },
      cancel_at: null,
      cancel_at_period_end: false,
      ended_at: null,
      start_date: now(),
    });
    expect(subscription).not.toHaveProperty('current_period_end');
    const [item] = subscription.items.data;
    expect(item?.current_period_start).toBe(now());
    expect(item?.current_period_end).toBe(Date.UTC(2026, 11, 10, 12) / 1000);
    expect(item).not.toHaveProperty('quantity');
    expect(item?.price.unit_amount_decimal?.toString()).toBe('100');
    expect((await stripe.invoices.list({ customer: customer.id })).data).toEqual([]);
  });

  it('refuses a quantity, no items, unknown prices and unknown parameters as Stripe does', async () => {
    const { stripe, customer, price, product } = await openBilling();
    const start = (items: Stripe.SubscriptionCreateParams.Item[]) =>
      refusal(stripe.subscriptions.create({ customer: customer.id, items }));
    expect((await start([{ price: price.id, quantity: 1 }])).message).toBe(
      'You cannot set the quantity for metered plans.',
    );
    expect(await start([])).toMatchObject({ code: 'parameter_missing', param: 'items' });
    expect(await start([{ price: 'price_x' }])).toMatchObject({
      code: 'resource_missing',
      param: 'items[0][price]',
    });
    const once = await stripe.prices.create({ currency: 'usd', unit_amount: 5, product: product.id });
    expect((await start([{ price: once.id }])).message).toContain('type=recurring');
    const unknown = { customer: customer.id, items: [{ price: price.id }], coupon: 'x' };
    expect(await refusal(stripe.subscriptions.create(unknown))).toMatchObject({ code: 'parameter_unknown' });
  });

  it('starts without a card, as nothing is due yet, or by invoices that are sent', async () => {
    const { stripe, customer, price } = await openBilling(null);
    const items = [{ price: price.id }];
    expect((await stripe.subscriptions.create({ customer: customer.id, items })).status).toBe('active');
    const sent = await stripe.subscriptions.create({
      customer: customer.id,
      items,
      collection_method: 'send_invoice',
      days_until_due: 30,
    });
    expect(sent).toMatchObject({ status: 'active', collection_method: 'send_invoice', days_until_due: 30 });
    const undue = stripe.subscriptions.create({
      customer: customer.id,
      items,
      collection_method: 'send_invoice',
    });
    expect(await refusal(undue)).toMatchObject({ param: 'days_until_due' });
  });
});

describe('a subscription with a fee', () => {
  const fee = { interval: 'month' } as const;

  it('charges it at once', async () => {
    const { stripe, customer, product, price } = await openBilling();
    const licensed = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 900,
      product: product.id,
      recurring: fee,
    });
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: licensed.id, quantity: 2 }, { price: price.id }],
      expand: ['latest_invoice'],
    });
    expect(subscription.status).toBe('active');
    expect(subscription.latest_invoice).toMatchObject({
      status: 'paid',
      total: 1800,
      amount_paid: 1800,
      billing_reason: 'subscription_create',
    });
  });

  it('needs a payment method', async () => {
    const { stripe, customer, product } = await openBilling(null);
    const licensed = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 900,
      product: product.id,
      recurring: fee,
    });
    const items = [{ price: licensed.id }];
    const error = await refusal(stripe.subscriptions.create({ customer: customer.id, items }));
    expect(error).toMatchObject({ code: 'resource_missing', statusCode: 400 });
    expect(error.message).toContain('no attached payment source or default payment method');
    const later = await stripe.subscriptions.create({
      customer: customer.id,
      items,
      payment_behavior: 'default_incomplete',
    });
    expect(later.status).toBe('incomplete');
    await stripe.invoices.pay(String(later.latest_invoice), { paid_out_of_band: true });
    expect((await stripe.subscriptions.retrieve(later.id)).status).toBe('active');
  });

  it('stays incomplete when the card fails, and expires after 23 hours', async () => {
    const { stripe, customer, product, advanceTo, now } = await openBilling('pm_card_chargeCustomerFail');
    const licensed = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 900,
      product: product.id,
      recurring: fee,
    });
    const items = [{ price: licensed.id }];
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items });
    expect(subscription.status).toBe('incomplete');
    const strict = { customer: customer.id, items, payment_behavior: 'error_if_incomplete' } as const;
    expect(await refusal(stripe.subscriptions.create(strict))).toMatchObject({
      statusCode: 402,
      code: 'card_declined',
    });
    await advanceTo(now() + daySec);
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('incomplete_expired');
    expect((await stripe.invoices.retrieve(String(subscription.latest_invoice))).status).toBe('void');
  });
});

describe('changes', () => {
  it('set and take back a cancellation at the period’s end', async () => {
    const { stripe, customer, price, now } = await openBilling();
    const { id, items } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
    });
    const periodEnd = items.data[0]?.current_period_end;
    expect(await stripe.subscriptions.update(id, { cancel_at_period_end: true })).toMatchObject({
      cancel_at_period_end: true,
      cancel_at: periodEnd,
      canceled_at: now(),
      status: 'active',
    });
    const [event] = (await stripe.events.list({ type: 'customer.subscription.updated' })).data;
    expect(event?.data.previous_attributes).toEqual({
      cancel_at: null,
      cancel_at_period_end: false,
      canceled_at: null,
    });
    expect(await stripe.subscriptions.update(id, { cancel_at_period_end: false })).toMatchObject({
      cancel_at_period_end: false,
      cancel_at: null,
      canceled_at: null,
    });
  });

  it('keep a deleted item’s usage for the next invoice', async () => {
    const { stripe, customer, price, meter, product, use, now } = await openBilling();
    const other = await stripe.prices.create({
      currency: 'usd',
      product: product.id,
      unit_amount: 200,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    });
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
    });
    await use(3, { at: now() });
    await stripe.subscriptionItems.create({ subscription: subscription.id, price: other.id });
    const first = subscription.items.data[0]!;
    await stripe.subscriptionItems.del(first.id);
    const [pending] = (await stripe.invoiceItems.list({ customer: customer.id })).data;
    expect(pending).toMatchObject({ amount: 300, invoice: null });
    const listed = await stripe.subscriptionItems.list({ subscription: subscription.id });
    expect(listed.data.map((item) => item.price.id)).toEqual([other.id]);
    expect((await refusal(stripe.subscriptionItems.retrieve(first.id))).statusCode).toBe(404);
    const last = refusal(stripe.subscriptionItems.del(listed.data[0]!.id));
    expect((await last).message).toContain('at least one active plan');
  });

  it('pause and resume', async () => {
    const { stripe, customer, price, use, now, advanceTo } = await openBilling();
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
    await use(2);
    const paused = await stripe.subscriptions.pause(id);
    expect(paused).toMatchObject({
      status: 'paused',
      status_details: { paused: { type: 'subscription', subscription: { type: 'pause_requested' } } },
    });
    await advanceTo(now() + 40 * daySec);
    expect((await stripe.invoices.list({ customer: customer.id })).data).toEqual([]);
    const resumed = await stripe.subscriptions.resume(id);
    expect(resumed.status).toBe('active');
    expect(resumed.items.data[0]?.current_period_start).toBe(now());
    expect((await refusal(stripe.subscriptions.resume(id))).message).toContain('paused');
    const preview = await stripe.invoices.createPreview({ subscription: id });
    expect(preview.total).toBe(200);
  });
});

describe('the end', () => {
  it('is immediate and drops usage, unless it is to be invoiced', async () => {
    const { stripe, customer, price, use } = await openBilling();
    const items = [{ price: price.id }];
    const dropped = await stripe.subscriptions.create({ customer: customer.id, items });
    await use(5);
    expect(await stripe.subscriptions.cancel(dropped.id)).toMatchObject({
      status: 'canceled',
      latest_invoice: null,
    });
    const billed = await stripe.subscriptions.create({ customer: customer.id, items });
    await use(2);
    const canceled = await stripe.subscriptions.cancel(billed.id, { invoice_now: true });
    const invoice = await stripe.invoices.retrieve(String(canceled.latest_invoice));
    expect(invoice).toMatchObject({ status: 'draft', total: 700 });
    expect((await refusal(stripe.subscriptions.cancel(billed.id))).statusCode).toBe(404);
    const late = await refusal(stripe.subscriptions.update(billed.id, { description: 'x' }));
    expect(late.code).toBe('invalid_canceled_subscription_fields');
  });

  it('comes with its customer', async () => {
    const { stripe, customer, price, eventTypes } = await openBilling();
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
    await stripe.customers.del(customer.id);
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('canceled');
    expect(await eventTypes()).toContain('customer.subscription.deleted');
  });
});

describe('lists', () => {
  it('leave canceled ones out unless they are asked for', async () => {
    const { stripe, customer, price } = await openBilling();
    const items = [{ price: price.id }];
    const first = await stripe.subscriptions.create({ customer: customer.id, items });
    const second = await stripe.subscriptions.create({ customer: customer.id, items });
    await stripe.subscriptions.cancel(first.id);
    const ids = async (params: Stripe.SubscriptionListParams) =>
      (await stripe.subscriptions.list(params)).data.map((each) => each.id);
    expect(await ids({ customer: customer.id })).toEqual([second.id]);
    expect(await ids({ status: 'all', price: price.id })).toEqual([second.id, first.id]);
    expect(await ids({ status: 'ended' })).toEqual([first.id]);
  });
});
