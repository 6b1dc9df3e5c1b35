/** Invoices through the real SDK: previews, the turn of a period, collection and its failures. */

import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { runDue } from '../../../src/emulator/billing/advance.js';
import { refusal } from '../open-test-emulator.js';
import { type Billing, daySec, giveCard, hourSec, openAgain, openBilling } from './open-billing.js';

async function subscribe(billing: Billing, more: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const { stripe, customer, price } = billing;
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    ...more,
  });
  return { id: subscription.id, item: subscription.items.data[0]! };
}

describe('a preview', () => {
  it('prices the usage so far, in the line shape of today', async () => {
    const billing = await openBilling();
    const { stripe, price, product, use } = billing;
    const { id, item } = await subscribe(billing);
    await use(2);
    await use('1.5');
    const invoice = await stripe.invoices.createPreview({ subscription: id });
    expect(invoice.id).toMatch(/^upcoming_in_/);
    expect(invoice).toMatchObject({
      status: 'draft',
      billing_reason: 'upcoming',
      currency: 'usd',
      total: 350,
      amount_due: 350,
      parent: { type: 'subscription_details', subscription_details: { subscription: id } },
    });
    const [line] = invoice.lines.data;
    expect(line).toMatchObject({
      amount: 350,
      quantity: 3,
      description: '3.5 call × Fire API (at $1.00 / month)',
      period: { start: item.current_period_start, end: item.current_period_end },
      pricing: { price_details: { price: price.id, product: product.id }, type: 'price_details' },
      parent: {
        subscription_item_details: { subscription: id, subscription_item: item.id, proration: false },
      },
    });
    expect(line?.quantity_decimal?.toString()).toBe('3.5');
    expect(line?.pricing?.unit_amount_decimal?.toString()).toBe('100');
    expect((await refusal(stripe.invoices.retrieve(String(invoice.id)))).statusCode).toBe(404);
  });

  it('shows each tier on its own line', async () => {
    const billing = await openBilling();
    const { stripe, customer, meter, product, use } = billing;
    const tiered = await stripe.prices.create({
      currency: 'usd',
      product: product.id,
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers: [
        { up_to: 10, unit_amount: 0, flat_amount: 900 },
        { up_to: 'inf', unit_amount: 3 },
      ],
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    });
    await stripe.subscriptions.create({ customer: customer.id, items: [{ price: tiered.id }] });
    await use(31);
    const { lines, total } = await stripe.invoices.createPreview({ customer: customer.id });
    expect(lines.data.map((line) => [line.description, line.quantity, line.amount])).toEqual([
      ['10 call × Fire API (Tier 1 at $0.00 / month)', 10, 0],
      ['Fire API (Tier 1 at $9.00 / month)', 0, 900],
      ['21 call × Fire API (Tier 2 at $0.03 / month)', 21, 63],
      ['Fire API (Tier 2 at $0.00 / month)', 0, 0],
    ]);
    expect(total).toBe(963);
  });

  it('answers `cancel_now`, and that there is none', async () => {
    const billing = await openBilling();
    const { stripe, use, customer, now, price } = billing;
    const { id } = await subscribe(billing);
    await use(4);
    const ending = await stripe.invoices.createPreview({
      subscription: id,
      subscription_details: { cancel_now: true },
    });
    expect(ending).toMatchObject({ total: 400, period_end: now() });
    await stripe.subscriptions.cancel(id);
    expect(await refusal(stripe.invoices.createPreview({ subscription: id }))).toMatchObject({
      code: 'invoice_upcoming_none',
      statusCode: 404,
    });
    expect((await refusal(stripe.invoices.createPreview({ customer: customer.id }))).code).toBe(
      'invoice_upcoming_none',
    );
    expect((await refusal(stripe.invoices.createPreview())).code).toBe('parameter_missing');
    expect(price.active).toBe(true);
  });

  it('bills one meter on each of two subscriptions', async () => {
    const billing = await openBilling();
    const first = await subscribe(billing);
    const second = await subscribe(billing);
    await billing.use(1);
    for (const { id } of [first, second]) {
      expect((await billing.stripe.invoices.createPreview({ subscription: id })).total).toBe(100);
    }
  });

  it('counts a negative period as nothing', async () => {
    const billing = await openBilling();
    const { id } = await subscribe(billing);
    await billing.use(2);
    await billing.use(-5);
    const { lines, total } = await billing.stripe.invoices.createPreview({ subscription: id });
    expect([total, lines.data[0]?.quantity]).toEqual([0, 0]);
  });
});

describe('the turn of a period', () => {
  it('drafts, waits an hour for late usage, makes it final and charges the card', async () => {
    const billing = await openBilling();
    const { stripe, use, advanceTo, item, id } = { ...billing, ...(await subscribe(billing)) };
    const end = item.current_period_end;
    await advanceTo(end - 2 * daySec);
    await use(3);
    await advanceTo(end + 1);
    const [draft] = (await stripe.invoices.list({ subscription: id })).data;
    expect(draft).toMatchObject({
      status: 'draft',
      billing_reason: 'subscription_cycle',
      total: 300,
      automatically_finalizes_at: end + hourSec,
      period_start: item.current_period_start,
      period_end: end,
    });
    await use(2, { at: end - 60 });
    await use(7, { at: end });
    await advanceTo(end + hourSec);
    const paid = await stripe.invoices.retrieve(String(draft?.id));
    expect(paid).toMatchObject({
      status: 'paid',
      total: 500,
      amount_paid: 500,
      amount_remaining: 0,
      status_transitions: { finalized_at: end + hourSec, paid_at: end + hourSec },
    });
    expect(paid.number).toMatch(/-0001$/);
    await use(100, { at: end - 30 });
    expect((await stripe.invoices.retrieve(String(paid.id))).total).toBe(500);
    expect((await stripe.invoices.createPreview({ subscription: id })).total).toBe(700);
    const lines = await stripe.invoices.listLineItems(String(paid.id));
    expect(lines.data.map((line) => [line.amount, line.invoice])).toEqual([[500, paid.id]]);
    const { items, latest_invoice } = await stripe.subscriptions.retrieve(id);
    expect(items.data[0]).toMatchObject({ current_period_start: end });
    expect(latest_invoice).toBe(paid.id);
    expect(await billing.eventTypes()).toEqual(
      expect.arrayContaining([
        'invoice.created',
        'invoice.finalized',
        'invoice.paid',
        'invoice.payment_succeeded',
      ]),
    );
  });

  it('happens in order over many periods, each event at its own time', async () => {
    const billing = await openBilling();
    const { stripe, now, advanceTo } = billing;
    const { id, item } = await subscribe(billing);
    await advanceTo(now() + 100 * daySec);
    const invoices = (await stripe.invoices.list({ subscription: id })).data.reverse();
    expect(invoices.map((invoice) => invoice.period_end)).toEqual([
      item.current_period_end,
      Date.UTC(2027, 0, 10, 12) / 1000,
      Date.UTC(2027, 1, 10, 12) / 1000,
    ]);
    const events = (await stripe.events.list({ limit: 100 })).data.reverse();
    const times = events.map((event) => event.created);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    // Stripe keeps events for 30 days: the first is that of the last period.
    const created = events.find((event) => event.type === 'invoice.created');
    expect(created?.created).toBe(Date.UTC(2027, 1, 10, 12) / 1000);
  });

  it('ends a subscription that is to be canceled, with its usage billed', async () => {
    const billing = await openBilling();
    const { stripe, use, advanceTo } = billing;
    const { id, item } = await subscribe(billing, { cancel_at_period_end: true });
    await use(2);
    await advanceTo(item.current_period_end + 2 * hourSec);
    const ended = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] });
    expect(ended).toMatchObject({
      status: 'canceled',
      ended_at: item.current_period_end,
      latest_invoice: { status: 'paid', total: 200 },
    });
  });

  it('carries what is too small to be charged', async () => {
    const billing = await openBilling();
    const { stripe, customer, meter, product, use, advanceTo } = billing;
    const cheap = await stripe.prices.create({
      currency: 'usd',
      product: product.id,
      unit_amount: 1,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    });
    const { item } = await subscribe(billing, { items: [{ price: cheap.id }] });
    await use(30);
    await advanceTo(item.current_period_end + hourSec);
    const small = (await stripe.invoices.list({ customer: customer.id })).data[0];
    expect(small).toMatchObject({ status: 'paid', total: 30, amount_due: 0, ending_balance: 30 });
    await use(40);
    await advanceTo(billing.now() + 31 * daySec);
    const next = (await stripe.invoices.list({ customer: customer.id })).data[0];
    expect(next).toMatchObject({ total: 40, starting_balance: 30, amount_due: 70, amount_paid: 70 });
  });

  it('is done once when two processes run at the same time', async () => {
    const billing = await openBilling();
    const { stripe, host } = billing;
    const { item, id } = await subscribe(billing);
    host.jump((item.current_period_end + 1) * 1000);
    const other = await openAgain(billing);
    runDue(other.account);
    runDue(billing.emulator.account);
    await other.close();
    expect((await stripe.invoices.list({ subscription: id })).data).toHaveLength(1);
  });
});

describe('an invoice that is sent', () => {
  it('is open with a due date, and past due after it', async () => {
    const billing = await openBilling(null);
    const { stripe, use, advanceTo } = billing;
    const { id, item } = await subscribe(billing, { collection_method: 'send_invoice', days_until_due: 10 });
    await use(3);
    const finalAt = item.current_period_end + hourSec;
    await advanceTo(finalAt);
    const [open] = (await stripe.invoices.list({ subscription: id })).data;
    expect(open).toMatchObject({
      status: 'open',
      amount_due: 300,
      due_date: finalAt + 10 * daySec,
      next_payment_attempt: null,
    });
    await advanceTo(finalAt + 11 * daySec);
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('past_due');
    await stripe.invoices.pay(String(open?.id), { paid_out_of_band: true });
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active');
  });
});

describe('a card that fails', () => {
  it('makes the subscription past due, is tried for two weeks, and then it is over', async () => {
    const billing = await openBilling('pm_card_chargeCustomerFail');
    const { stripe, use, advanceTo } = billing;
    const { id, item } = await subscribe(billing);
    await use(3);
    const finalAt = item.current_period_end + hourSec;
    await advanceTo(finalAt);
    const [open] = (await stripe.invoices.list({ subscription: id })).data;
    expect(open).toMatchObject({ status: 'open', attempt_count: 1, next_payment_attempt: finalAt + daySec });
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('past_due');
    expect(await refusal(stripe.invoices.pay(String(open?.id)))).toMatchObject({ statusCode: 402 });
    await advanceTo(finalAt + 15 * daySec);
    const ended = await stripe.subscriptions.retrieve(id);
    expect(ended).toMatchObject({ status: 'canceled', cancellation_details: { reason: 'payment_failed' } });
    expect((await stripe.invoices.retrieve(String(open?.id))).attempt_count).toBe(8);
    const failures = (await billing.eventTypes()).filter((type) => type === 'invoice.payment_failed');
    expect(failures).toHaveLength(8);
  });

  it('leaves the subscription unpaid where the account says so: drafts are made and stay drafts', async () => {
    const billing = await openBilling('pm_card_chargeCustomerFail');
    const { stripe, use, advanceTo, emulator } = billing;
    emulator.account.faults.set({ afterLastRetry: 'unpaid' });
    const { id, item } = await subscribe(billing);
    await use(3);
    await advanceTo(item.current_period_end + 40 * daySec);
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('unpaid');
    await advanceTo(item.current_period_end + 70 * daySec);
    const [draft] = (await stripe.invoices.list({ subscription: id })).data;
    expect(draft).toMatchObject({ status: 'draft', auto_advance: false, automatically_finalizes_at: null });
  });

  it('is forgiven when a better one comes in time', async () => {
    const billing = await openBilling('pm_card_chargeCustomerFail');
    const { stripe, use, advanceTo, customer } = billing;
    const { id, item } = await subscribe(billing);
    await use(3);
    await advanceTo(item.current_period_end + hourSec);
    await giveCard(stripe, customer.id, 'pm_card_visa');
    await advanceTo(item.current_period_end + hourSec + daySec);
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active');
    expect((await stripe.invoices.list({ subscription: id })).data[0]?.status).toBe('paid');
  });
});

describe('by hand', () => {
  it('a draft is made final, voided or given up, in that order only', async () => {
    const billing = await openBilling(null);
    const { stripe, use, advanceTo } = billing;
    const { id, item } = await subscribe(billing, { collection_method: 'send_invoice', days_until_due: 10 });
    await use(3);
    await advanceTo(item.current_period_end);
    const [draft] = (await stripe.invoices.list({ subscription: id, status: 'draft' })).data;
    const invoiceId = String(draft?.id);
    expect((await refusal(stripe.invoices.voidInvoice(invoiceId))).message).toContain('void');
    expect((await stripe.invoices.finalizeInvoice(invoiceId)).status).toBe('open');
    expect((await refusal(stripe.invoices.finalizeInvoice(invoiceId))).code).toBe('invoice_not_editable');
    expect((await stripe.invoices.markUncollectible(invoiceId)).status).toBe('uncollectible');
    expect((await stripe.invoices.voidInvoice(invoiceId)).status).toBe('void');
  });
});

describe('a cancellation in the middle of a period', () => {
  it('is previewed and billed up to its time', async () => {
    const billing = await openBilling();
    const { stripe, use, advanceTo, now } = billing;
    const cancelAt = now() + 5 * daySec;
    const { id } = await subscribe(billing, { cancel_at: cancelAt });
    await use(2);
    expect(await stripe.invoices.createPreview({ subscription: id })).toMatchObject({
      total: 200,
      period_end: cancelAt,
    });
    await advanceTo(cancelAt + 2 * hourSec);
    const ended = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] });
    expect(ended).toMatchObject({
      status: 'canceled',
      ended_at: cancelAt,
      latest_invoice: { status: 'paid', total: 200 },
    });
  });
});
