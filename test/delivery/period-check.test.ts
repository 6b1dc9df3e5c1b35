/** Late usage: sent while an invoice can still bill it, and told where none can. Store, courier and embedded Stripe are real. */

import { describe, expect, it } from 'vitest';
import { syncCustomer } from '../../src/customers/sync.js';
import { MeterctlError } from '../../src/domain/error.js';
import { openComparison } from './open-comparison.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A customer with a monthly subscription that began just now. */
async function setUp() {
  const world = await openComparison();
  const { stripe, emulator, host, store, billing, meter, customer } = world;
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id });
  const addPrice = async () => {
    const { id: product } = await stripe.products.create({ name: 'API' });
    const recurring = { interval: 'month', usage_type: 'metered', meter: meter.id } as const;
    return (await stripe.prices.create({ currency: 'usd', product, unit_amount: 100, recurring })).id;
  };
  const subscribe = async () => {
    const items = [{ price: await addPrice() }];
    const asked = { customer: customer.id, items, default_payment_method: card.id };
    const subscription = await stripe.subscriptions.create(asked);
    await sync();
    return { ...subscription, endMs: subscription.items.data[0]!.current_period_end * 1000 };
  };
  const sync = () => syncCustomer({ store, billing }, customer.id);
  return {
    ...{ ...world, addPrice, subscribe, sync },
    /** Time goes on to `ms`, here and at Stripe. */
    async at(ms: number) {
      host.jump(ms);
      emulator.advanceTo(ms);
      await sync();
    },
    /** What became of the only delivery. */
    async delivery() {
      const { data } = await store.listDeliveries({}, { limit: 2 });
      expect(data).toHaveLength(1);
      return data[0];
    },
    /** All that the customer was billed, in units. */
    async billed() {
      const { data } = await stripe.invoices.list({ customer: customer.id });
      return data.filter(({ status }) => status !== 'draft').reduce((sum, { total }) => sum + total, 0) / 100;
    },
  };
}

const refused = { state: 'refused', reason: expect.stringContaining('is final') };
const unbilled = { state: 'refused', reason: expect.stringContaining('without an invoice') };

describe('late usage', () => {
  it('is sent while the invoice of its period is a draft, and refused afterwards', async () => {
    const { subscribe, at, use, send, delivery, billed, store } = await setUp();
    const { endMs } = await subscribe();
    await at(endMs + 10 * minuteMs);
    await use(5, 20 * minuteMs);
    await send();
    expect(await delivery()).toMatchObject({ state: 'delivered' });
    await at(endMs + 2 * hourMs);
    expect(await billed()).toBe(5);
    await use(3, 3 * hourMs);
    await send();
    expect((await store.listDeliveries({ state: 'refused' }, { limit: 2 })).data).toMatchObject([refused]);
    expect(await billed()).toBe(5);
  });

  it('is refused when its invoice was made final ahead of time, shortly after it was seen as a draft', async () => {
    const { subscribe, stripe, customer, at, host, use, send, store } = await setUp();
    const { endMs } = await subscribe();
    await at(endMs + 10 * minuteMs);
    await use(5, 20 * minuteMs);
    await send();
    const [draft] = (await stripe.invoices.list({ customer: customer.id })).data;
    await stripe.invoices.finalizeInvoice(draft!.id);
    host.jump(host.clock.nowMs() + 10_000);
    await use(3, 20 * minuteMs);
    await send();
    expect((await store.listDeliveries({ state: 'refused' }, { limit: 2 })).data).toMatchObject([refused]);
  });

  it('is refused when its invoice is final and the customer has another price since', async () => {
    const { subscribe, addPrice, stripe, sync, at, use, send, delivery } = await setUp();
    const { id, items, endMs } = await subscribe();
    await at(endMs);
    await at(endMs + 2 * hourMs);
    await stripe.subscriptions.update(id, { items: [{ id: items.data[0]!.id, price: await addPrice() }] });
    await sync();
    await use(3, 3 * hourMs);
    await send();
    expect(await delivery()).toMatchObject(refused);
  });

  it('is not sent into a period that a change of price has cut short', async () => {
    const { subscribe, addPrice, stripe, host, at, use, send, delivery } = await setUp();
    const { id, items } = await subscribe();
    const changedMs = host.clock.nowMs() + 24 * hourMs;
    await at(changedMs);
    await stripe.subscriptions.update(id, { items: [{ id: items.data[0]!.id, price: await addPrice() }] });
    await at(changedMs + minuteMs);
    await use(3, 2 * minuteMs);
    await send();
    const waiting = {
      state: 'pending',
      attempts: 1,
      reason: expect.stringContaining('no invoice of it yet'),
    };
    expect(await delivery()).toMatchObject(waiting);
    await at(changedMs + 3 * hourMs);
    await send();
    expect(await delivery()).toMatchObject(unbilled);
  });

  it('is sent after a cancellation that is invoiced, and told after one that is not', async () => {
    for (const invoiced of [true, false]) {
      const { subscribe, stripe, host, at, use, send, delivery, billed } = await setUp();
      const { id } = await subscribe();
      const endedMs = host.clock.nowMs() + 24 * hourMs;
      await at(endedMs);
      await stripe.subscriptions.cancel(id, { invoice_now: invoiced });
      await at(endedMs + minuteMs);
      await use(3, 2 * minuteMs);
      await send();
      expect(await delivery()).toMatchObject({ state: invoiced ? 'delivered' : 'pending' });
      await at(endedMs + 3 * hourMs);
      await send();
      expect(await delivery()).toMatchObject(invoiced ? { state: 'delivered' } : unbilled);
      expect(await billed()).toBe(invoiced ? 3 : 0);
    }
  });

  it('of a former subscription goes onto its invoice, although another one runs', async () => {
    const { subscribe, stripe, host, at, use, send, delivery, store, billed } = await setUp();
    const { id } = await subscribe();
    const endedMs = host.clock.nowMs() + 24 * hourMs;
    await at(endedMs);
    await stripe.subscriptions.cancel(id, { invoice_now: true });
    await at(endedMs + 5 * minuteMs);
    await subscribe();
    await use(3, 6 * minuteMs);
    await send();
    expect(await delivery()).toMatchObject({ state: 'delivered' });
    await at(endedMs + 2 * hourMs);
    expect(await billed()).toBe(3);
    await use(4, 3 * hourMs);
    await send();
    expect((await store.listDeliveries({ state: 'refused' }, { limit: 2 })).data).toMatchObject([refused]);
  });

  it('waits for nothing that only a clock here says to be over', async () => {
    const { subscribe, host, use, send, delivery } = await setUp();
    const { endMs } = await subscribe();
    host.jump(endMs + 24 * hourMs);
    await use(3, 48 * hourMs);
    await send();
    expect(await delivery()).toMatchObject({ state: 'delivered' });
  });
});

describe('usage that Stripe has already', () => {
  it('is told when its subscription was ended without an invoice, and only then', async () => {
    for (const invoiced of [true, false]) {
      const { subscribe, stripe, host, at, use, send, delivery, compare } = await setUp();
      const { id } = await subscribe();
      const startMs = host.clock.nowMs();
      const endedMs = startMs + 24 * hourMs;
      await at(endedMs - hourMs);
      await use(3);
      await send();
      expect(await delivery()).toMatchObject({ state: 'delivered' });
      await at(endedMs);
      await stripe.subscriptions.cancel(id, { invoice_now: invoiced });
      await at(endedMs + hourMs);
      const counts = { startMs, endMs: endedMs, ledger: 3, stripe: 0 };
      const { drift } = await compare({ repair: 'all' });
      expect(drift).toMatchObject(invoiced ? [] : [{ ...counts, cause: 'not_invoiced' }]);
    }
  });

  it('is told when its last invoice was voided', async () => {
    const { subscribe, stripe, customer, host, at, use, send, compare } = await setUp();
    const { id } = await subscribe();
    await at(host.clock.nowMs() + hourMs);
    await use(3);
    await send();
    // Nothing is collected by card any more, so the invoice stays open.
    await stripe.subscriptions.update(id, { collection_method: 'send_invoice', days_until_due: 30 });
    await stripe.subscriptions.cancel(id, { invoice_now: true });
    await at(host.clock.nowMs() + 2 * hourMs);
    expect((await compare()).drift).toEqual([]);
    const [last] = (await stripe.invoices.list({ customer: customer.id })).data;
    await stripe.invoices.voidInvoice(last!.id);
    expect((await compare()).drift).toMatchObject([{ cause: 'not_invoiced', ledger: 3 }]);
  });

  it('is told although Stripe is out of reach for a while when its invoices are listed', async () => {
    const { subscribe, stripe, host, at, use, send, billing, compare, passing } = await setUp();
    const { id } = await subscribe();
    await at(host.clock.nowMs() + hourMs);
    await use(3);
    await send();
    await stripe.subscriptions.cancel(id);
    await at(host.clock.nowMs() + hourMs);
    const { listBilledSpans } = billing;
    let troubles = 3;
    billing.listBilledSpans = async (...asked) => {
      troubles -= 1;
      if (troubles >= 0) throw new MeterctlError('unavailable', 'Too many requests.');
      return listBilledSpans(...asked);
    };
    expect((await passing(compare())).drift).toMatchObject([{ cause: 'not_invoiced', ledger: 3 }]);
  });

  it('is told of no subscription beside which another one bills it', async () => {
    const { subscribe, stripe, host, at, use, send, compare } = await setUp();
    await subscribe();
    const double = await subscribe();
    await at(host.clock.nowMs() + hourMs);
    await use(3);
    await send();
    await stripe.subscriptions.cancel(double.id);
    await at(host.clock.nowMs() + hourMs);
    expect((await compare()).drift).toEqual([]);
  });
});
