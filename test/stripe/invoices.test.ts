/** What of our meter stands on a subscription's invoices, read from the embedded Stripe through the real SDK. */

import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { createBilling } from '../../src/stripe/billing.js';
import { daySec, openBilling } from '../emulator/billing/open-billing.js';

/** A customer, and a way to look at his invoices. */
async function setUp() {
  const world = await openBilling();
  const { stripe, emulator, host, meter, product, customer } = world;
  const access = { secretKey: 'sk_test_x', apiBase: emulator.url, meterId: meter.id };
  const billing = createBilling(access, host.clock);
  const addPrice = (meterId: string, over: Partial<Stripe.PriceCreateParams> = {}) =>
    stripe.prices.create({
      currency: 'usd',
      product: product.id,
      unit_amount: 5,
      recurring: { interval: 'month', usage_type: 'metered', meter: meterId },
      ...over,
    });
  const subscribe = (...prices: string[]) =>
    stripe.subscriptions.create({ customer: customer.id, items: prices.map((price) => ({ price })) });
  return { ...world, billing, addPrice, subscribe };
}

/** The period of a subscription's first item, as the spans tell it. */
const periodOf = ({ items }: Stripe.Subscription) => ({
  startMs: items.data[0]!.current_period_start * 1000,
  endMs: items.data[0]!.current_period_end * 1000,
});

describe('the spans on invoices', () => {
  it('are a draft while Stripe still counts, and final afterwards', async () => {
    const { billing, subscribe, price, advanceTo } = await setUp();
    const subscription = await subscribe(price.id);
    const period = periodOf(subscription);
    expect(await billing.listBilledSpans(subscription.id, 0)).toEqual([]);
    await advanceTo(period.endMs / 1000 + 60);
    expect(await billing.listBilledSpans(subscription.id, 0)).toEqual([{ ...period, state: 'draft' }]);
    await advanceTo(period.endMs / 1000 + 3_700);
    expect(await billing.listBilledSpans(subscription.id, 0)).toEqual([{ ...period, state: 'final' }]);
    expect(await billing.listBilledSpans(subscription.id, period.endMs + 1_000)).toEqual([]);
  });

  it('are void where the invoice was taken back', async () => {
    const { billing, subscribe, stripe, price, advanceTo } = await setUp();
    const subscription = await subscribe(price.id);
    await stripe.subscriptions.update(subscription.id, { pause_collection: { behavior: 'void' } });
    const period = periodOf(subscription);
    await advanceTo(period.endMs / 1000 + 3_700);
    expect(await billing.listBilledSpans(subscription.id, 0)).toEqual([{ ...period, state: 'void' }]);
  });

  it('are found under a price that is sold no more, and final where it was changed', async () => {
    const { billing, subscribe, stripe, meter, price, addPrice, advanceTo, now, use } = await setUp();
    const subscription = await subscribe(price.id);
    const period = periodOf(subscription);
    await advanceTo(now() + daySec);
    await use(7);
    await advanceTo(now() + 60);
    const changedMs = now() * 1000;
    const dearer = await addPrice(meter.id, { unit_amount: 9 });
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: dearer.id }],
    });
    await advanceTo(period.endMs / 1000 + 60);
    const spans = await billing.listBilledSpans(subscription.id, 0);
    expect(spans).toHaveLength(2);
    expect(spans).toContainEqual({ startMs: period.startMs, endMs: changedMs, state: 'final' });
    expect(spans).toContainEqual({ startMs: changedMs, endMs: period.endMs, state: 'draft' });
  });

  it('are found among more lines than an invoice shows, and lines of other things are none', async () => {
    const { billing, subscribe, stripe, meter, price, addPrice, advanceTo } = await setUp();
    const other = await stripe.billing.meters.create({
      ...{ display_name: 'Others', event_name: 'others' },
      default_aggregation: { formula: 'sum' },
    });
    const prices: string[] = [];
    for (let count = 0; count < 6; count += 1) {
      prices.push((await addPrice(meter.id, { recurring: { interval: 'month' } })).id);
      prices.push((await addPrice(other.id)).id);
    }
    const subscription = await subscribe(...prices, price.id);
    const period = periodOf(subscription);
    await advanceTo(period.endMs / 1000 + 3_700);
    const [cycle] = (await stripe.invoices.list({ subscription: subscription.id })).data;
    expect(cycle!.lines).toMatchObject({ has_more: true, data: { length: 10 } });
    const all = await stripe.invoices.listLineItems(cycle!.id, { limit: 100 });
    expect(all.data).toHaveLength(13);
    expect(await billing.listBilledSpans(subscription.id, 0)).toContainEqual({ ...period, state: 'final' });
  });
});
