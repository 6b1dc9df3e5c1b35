/** Time: trials, test clocks, and the emulator's own advance. */

import { describe, expect, it } from 'vitest';
import { refusal } from '../open-test-emulator.js';
import { daySec, giveCard, hourSec, openBilling } from './open-billing.js';

describe('a trial', () => {
  it('is free, and its end starts the first paid period', async () => {
    const { stripe, customer, price, use, advanceTo, now } = await openBilling();
    const start = now();
    const trialing = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      trial_period_days: 7,
    });
    expect(trialing).toMatchObject({
      status: 'trialing',
      trial_end: start + 7 * daySec,
      billing_cycle_anchor: start + 7 * daySec,
    });
    await use(50);
    expect((await stripe.invoices.createPreview({ subscription: trialing.id })).total).toBe(0);
    await advanceTo(start + 7 * daySec);
    await use(2);
    const active = await stripe.subscriptions.retrieve(trialing.id);
    expect(active).toMatchObject({ status: 'active', latest_invoice: null });
    expect(active.items.data[0]?.current_period_start).toBe(start + 7 * daySec);
    expect((await stripe.invoices.createPreview({ subscription: trialing.id })).total).toBe(200);
  });

  it('without a card ends the subscription or pauses it, if it was made so', async () => {
    const { stripe, customer, price, advanceTo, now } = await openBilling(null);
    const start = (missing_payment_method: 'cancel' | 'pause') =>
      stripe.subscriptions.create({
        customer: customer.id,
        items: [{ price: price.id }],
        trial_period_days: 7,
        trial_settings: { end_behavior: { missing_payment_method } },
      });
    const [ending, pausing] = [await start('cancel'), await start('pause')];
    await advanceTo(now() + 8 * daySec);
    expect((await stripe.subscriptions.retrieve(ending.id)).status).toBe('canceled');
    expect(await stripe.subscriptions.retrieve(pausing.id)).toMatchObject({
      status: 'paused',
      status_details: { paused: { subscription: { type: 'trial_end_without_payment_method' } } },
    });
  });
});

describe('a backdated subscription', () => {
  it('bills the usage since its start', async () => {
    const { stripe, customer, price, use, now } = await openBilling();
    await use(4, { at: now() - 3 * daySec });
    await use(9, { at: now() - 20 * daySec });
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      backdate_start_date: now() - 10 * daySec,
    });
    expect(subscription).toMatchObject({ start_date: now() - 10 * daySec, billing_cycle_anchor: now() });
    expect((await stripe.invoices.createPreview({ subscription: subscription.id })).total).toBe(400);
  });
});

describe('a test clock', () => {
  it('moves its own customers, and nobody else', async () => {
    const { stripe, price, customer, now } = await openBilling();
    const start = now();
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: start, name: 'Monthly' });
    const clocked = await stripe.customers.create({ email: 'clock@example.com', test_clock: clock.id });
    await giveCard(stripe, clocked.id, 'pm_card_visa');
    const items = [{ price: price.id }];
    const mine = await stripe.subscriptions.create({ customer: clocked.id, items });
    const other = await stripe.subscriptions.create({ customer: customer.id, items });
    const end = mine.items.data[0]!.current_period_end;
    const advanced = await stripe.testHelpers.testClocks.advance(clock.id, {
      frozen_time: end + 2 * hourSec,
    });
    expect(advanced).toMatchObject({ status: 'ready', frozen_time: end + 2 * hourSec });
    const turned = await stripe.subscriptions.retrieve(mine.id, { expand: ['latest_invoice'] });
    expect(turned.items.data[0]?.current_period_start).toBe(end);
    expect(turned.latest_invoice).toMatchObject({ created: end, status: 'paid', test_clock: clock.id });
    const still = await stripe.subscriptions.retrieve(other.id);
    expect(still.items.data[0]?.current_period_start).toBe(start);
    const back = stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: start });
    expect((await refusal(back)).param).toBe('frozen_time');
    await stripe.testHelpers.testClocks.del(clock.id);
    expect((await stripe.subscriptions.retrieve(mine.id)).status).toBe('canceled');
    expect((await refusal(stripe.testHelpers.testClocks.retrieve(clock.id))).statusCode).toBe(404);
  });
});

describe('the emulator’s advance', () => {
  it('tells how far it went, and never goes back', async () => {
    const { stripe, customer, price, now } = await openBilling();
    await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
    const from = now();
    const answer = await stripe.rawRequest('POST', '/_emulator/advance', { seconds: 31 * daySec });
    expect(answer).toMatchObject({ from, now: from + 31 * daySec, performed: 2 });
    const back = stripe.rawRequest('POST', '/_emulator/advance', { to: from });
    expect((await refusal(back)).message).toBe('Time can only be moved on.');
  });
});

describe('payment methods', () => {
  it('are attached, listed, detached; a declined card is refused', async () => {
    const { stripe, customer } = await openBilling();
    const bad = stripe.paymentMethods.attach('pm_card_visa_chargeDeclined', { customer: customer.id });
    expect(await refusal(bad)).toMatchObject({ statusCode: 402, code: 'card_declined' });
    const made = await stripe.paymentMethods.create({
      type: 'card',
      card: { number: '4000 0000 0000 0341' },
    });
    await stripe.paymentMethods.attach(made.id, { customer: customer.id });
    const listed = await stripe.customers.listPaymentMethods(customer.id);
    expect(listed.data.map((method) => method.card?.last4)).toEqual(['0341', '4242']);
    const [, first] = listed.data;
    await stripe.paymentMethods.detach(first!.id);
    const after = await stripe.customers.retrieve(customer.id);
    expect(after).toMatchObject({ invoice_settings: { default_payment_method: null } });
  });
});
