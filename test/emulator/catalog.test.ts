/** Products, prices, meters and customers, with everything Stripe refuses. */

import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { createMeteredPrice, openTestEmulator, refusal } from './open-test-emulator.js';

describe('products', () => {
  it('take an id of their own, once', async () => {
    const { stripe } = await openTestEmulator();
    const product = await stripe.products.create({ id: 'my_api', name: 'API', metadata: { a: '1' } });
    expect(product).toMatchObject({ id: 'my_api', object: 'product', active: true, livemode: false });
    expect(await refusal(stripe.products.create({ id: 'my_api', name: 'API' }))).toMatchObject({
      code: 'resource_already_exists',
    });
  });

  it('change, and tell what they were', async () => {
    const { stripe } = await openTestEmulator();
    const product = await stripe.products.create({ name: 'API', metadata: { a: '1', b: '2' } });
    const updated = await stripe.products.update(product.id, {
      description: 'Fire',
      metadata: { a: '', c: '3' },
    });
    expect(updated).toMatchObject({ description: 'Fire', metadata: { b: '2', c: '3' } });
    const [event] = (await stripe.events.list({ type: 'product.updated' })).data;
    expect(event?.data).toMatchObject({
      object: { id: product.id, description: 'Fire' },
      previous_attributes: { description: null, metadata: { a: '1', b: '2' } },
    });
  });

  it('go only while no price is theirs', async () => {
    const { stripe } = await openTestEmulator();
    const { product } = await createMeteredPrice(stripe);
    expect((await refusal(stripe.products.del(product.id))).message).toContain('user-created prices');
    const empty = await stripe.products.create({ name: 'Empty' });
    expect(await stripe.products.del(empty.id)).toMatchObject({ id: empty.id, deleted: true });
    expect((await refusal(stripe.products.retrieve(empty.id))).statusCode).toBe(404);
  });
});

describe('prices', () => {
  it('keep fractions of cents exactly', async () => {
    const { stripe } = await openTestEmulator();
    const { product, meter } = await createMeteredPrice(stripe);
    const price = await stripe.prices.create({
      currency: 'USD',
      product: product.id,
      unit_amount_decimal: Stripe.Decimal.from('0.000000000001'),
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    });
    expect(price.currency).toBe('usd');
    expect(price.unit_amount).toBeNull();
    expect(price.unit_amount_decimal?.toString()).toBe('0.000000000001');
    const whole = await stripe.prices.create({
      currency: 'usd',
      product: product.id,
      unit_amount_decimal: Stripe.Decimal.from('5.00'),
    });
    expect(whole).toMatchObject({ unit_amount: 5, type: 'one_time', recurring: null });
    const fine = await refusal(
      stripe.prices.create({
        currency: 'usd',
        product: product.id,
        unit_amount_decimal: Stripe.Decimal.from('0.0000000000001'),
      }),
    );
    expect(fine.param).toBe('unit_amount_decimal');
  });

  it('show tiers only when asked', async () => {
    const { stripe } = await openTestEmulator();
    const { product, meter } = await createMeteredPrice(stripe);
    const price = await stripe.prices.create({
      currency: 'usd',
      product: product.id,
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers: [
        { up_to: 1000, unit_amount: 0 },
        { up_to: 'inf', unit_amount_decimal: Stripe.Decimal.from('0.5'), flat_amount: 100 },
      ],
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
      expand: ['tiers'],
    });
    expect(price.tiers).toMatchObject([
      { up_to: 1000, unit_amount: 0, flat_amount: null },
      { up_to: null, unit_amount: null, flat_amount: 100 },
    ]);
    expect(price.tiers?.[1]?.unit_amount_decimal?.toString()).toBe('0.5');
    expect(await stripe.prices.retrieve(price.id)).not.toHaveProperty('tiers');
    const [listed] = (await stripe.prices.list({ expand: ['data.tiers'] })).data;
    expect(listed?.tiers).toHaveLength(2);
  });

  it('refuse what Stripe refuses', async () => {
    const { stripe } = await openTestEmulator();
    const { product, meter } = await createMeteredPrice(stripe);
    const base = { currency: 'usd', product: product.id };
    const metered = { interval: 'month', usage_type: 'metered', meter: meter.id } as const;
    const open = { up_to: 'inf', unit_amount: 1 } as const;
    const refused: [Stripe.PriceCreateParams, object][] = [
      [
        { ...base, unit_amount: 1, recurring: { interval: 'month', usage_type: 'metered' } },
        { param: 'recurring[meter]' },
      ],
      [
        { ...base, unit_amount: 1, recurring: { interval: 'month', meter: meter.id } },
        { param: 'recurring[meter]' },
      ],
      [{ ...base, unit_amount: 1, recurring: { ...metered, meter: 'mtr_x' } }, { code: 'resource_missing' }],
      [{ ...base, unit_amount: 1, recurring: { interval: 'minute' } }, { param: 'recurring[interval]' }],
      [
        { ...base, unit_amount: 1, recurring: { interval: 'year', interval_count: 4 } },
        { param: 'recurring[interval_count]' },
      ],
      [{ ...base, recurring: metered }, { param: 'unit_amount' }],
      [
        { ...base, unit_amount: 1, unit_amount_decimal: Stripe.Decimal.from('1') },
        { code: 'parameters_exclusive' },
      ],
      [{ ...base, unit_amount: -1 }, { code: 'parameter_invalid_integer' }],
      [{ ...base, unit_amount: 1, tiers: [open], recurring: metered }, { param: 'tiers' }],
      [{ ...base, billing_scheme: 'tiered', tiers: [open], recurring: metered }, { param: 'tiers_mode' }],
      [
        {
          ...base,
          billing_scheme: 'tiered',
          tiers_mode: 'volume',
          tiers: [{ up_to: 5, unit_amount: 1 }],
          recurring: metered,
        },
        { param: 'tiers[0][up_to]' },
      ],
      [
        {
          ...base,
          billing_scheme: 'tiered',
          tiers_mode: 'volume',
          tiers: [{ up_to: 5, unit_amount: 1 }, { up_to: 5, unit_amount: 1 }, open],
          recurring: metered,
        },
        { param: 'tiers[1][up_to]' },
      ],
      [
        {
          ...base,
          billing_scheme: 'tiered',
          tiers_mode: 'volume',
          tiers: [{ up_to: 'inf' }],
          recurring: metered,
        },
        { param: 'tiers[0]' },
      ],
      [
        {
          ...base,
          billing_scheme: 'tiered',
          tiers_mode: 'volume',
          tiers: [open],
          recurring: metered,
          transform_quantity: { divide_by: 10, round: 'up' },
        },
        { param: 'transform_quantity' },
      ],
      [{ currency: 'usd', unit_amount: 1 }, { param: 'product' }],
      [{ ...base, unit_amount: 1, product_data: { name: 'B' } }, { code: 'parameters_exclusive' }],
      [
        { ...base, product: 'prod_x', unit_amount: 1 },
        { code: 'resource_missing', param: 'product', statusCode: 400 },
      ],
      [{ ...base, currency: 'zzz', unit_amount: 1 }, { param: 'currency' }],
    ];
    for (const [parameters, shape] of refused) {
      expect(await refusal(stripe.prices.create(parameters)), JSON.stringify(parameters)).toMatchObject(
        shape,
      );
    }
    await stripe.billing.meters.deactivate(meter.id);
    const inactive = await refusal(stripe.prices.create({ ...base, unit_amount: 1, recurring: metered }));
    expect(inactive.message).toContain('not active');
  });

  it('refuse aggregate_usage, which is gone', async () => {
    const { request } = await openTestEmulator();
    const answer = await request('/v1/prices', {
      method: 'POST',
      body: 'currency=usd&unit_amount=1&recurring[interval]=month&recurring[aggregate_usage]=sum',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    expect(await answer.json()).toMatchObject({
      error: { code: 'parameter_unknown', message: 'Received unknown parameter: recurring[aggregate_usage]' },
    });
  });

  it('are found by lookup key, which moves on request only', async () => {
    const { stripe } = await openTestEmulator();
    const { product } = await createMeteredPrice(stripe);
    const base = { currency: 'usd', product: product.id, lookup_key: 'calls' };
    const first = await stripe.prices.create({ ...base, unit_amount: 1 });
    expect((await refusal(stripe.prices.create({ ...base, unit_amount: 2 }))).message).toContain(first.id);
    const second = await stripe.prices.create({ ...base, unit_amount: 2, transfer_lookup_key: true });
    expect((await stripe.prices.list({ lookup_keys: ['calls'] })).data.map(({ id }) => id)).toEqual([
      second.id,
    ]);
    expect((await stripe.prices.retrieve(first.id)).lookup_key).toBeNull();
    const keys = Array.from({ length: 11 }, (_, index) => `k${index}`);
    expect((await refusal(stripe.prices.list({ lookup_keys: keys }))).param).toBe('lookup_keys');
  });

  it('are listed by meter, type and state', async () => {
    const { stripe } = await openTestEmulator();
    const { product, price, meter } = await createMeteredPrice(stripe);
    const once = await stripe.prices.create({
      currency: 'usd',
      product: product.id,
      unit_amount: 1,
      active: false,
    });
    const ids = async (params: Stripe.PriceListParams) =>
      (await stripe.prices.list(params)).data.map(({ id }) => id);
    expect(await ids({ recurring: { meter: meter.id } })).toEqual([price.id]);
    expect(await ids({ type: 'one_time' })).toEqual([once.id]);
    expect(await ids({ active: true })).toEqual([price.id]);
    expect(await ids({ active: false })).toEqual([once.id]);
  });
});

describe('meters', () => {
  it('have defaults, and only a new name changes', async () => {
    const { stripe, request } = await openTestEmulator();
    const { meter } = await createMeteredPrice(stripe);
    expect(meter).toMatchObject({
      object: 'billing.meter',
      customer_mapping: { event_payload_key: 'stripe_customer_id', type: 'by_id' },
      value_settings: { event_payload_key: 'value' },
      event_time_window: null,
      status: 'active',
      status_transitions: { deactivated_at: null },
    });
    expect((await stripe.billing.meters.update(meter.id, { display_name: 'More' })).display_name).toBe(
      'More',
    );
    const change = await request(`/v1/billing/meters/${meter.id}`, {
      method: 'POST',
      body: 'event_name=other',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    expect(change.status).toBe(400);
  });

  it('own their event name, also while inactive', async () => {
    const { stripe } = await openTestEmulator();
    const { meter } = await createMeteredPrice(stripe);
    const again = {
      display_name: 'Again',
      event_name: 'calls',
      default_aggregation: { formula: 'sum' },
    } as const;
    expect(await refusal(stripe.billing.meters.create(again))).toMatchObject({
      statusCode: 400,
      rawType: 'invalid_request_error',
    });
    const off = await stripe.billing.meters.deactivate(meter.id);
    expect(off).toMatchObject({ status: 'inactive', status_transitions: { deactivated_at: off.updated } });
    await refusal(stripe.billing.meters.create(again));
    expect((await stripe.billing.meters.list({ status: 'inactive' })).data).toHaveLength(1);
    expect(await stripe.billing.meters.reactivate(meter.id)).toMatchObject({ status: 'active' });
    const formula = await refusal(
      stripe.billing.meters.create({ ...again, event_name: 'x', default_aggregation: { formula: 'max' } }),
    );
    expect(formula.message).toBe('Invalid default_aggregation[formula]: must be one of count, last, or sum');
  });
});

describe('customers', () => {
  it('come, change and go, leaving a stub', async () => {
    const { stripe } = await openTestEmulator();
    const customer = await stripe.customers.create({ email: 'a@example.com', address: { city: 'Oslo' } });
    expect(customer).toMatchObject({
      object: 'customer',
      address: { city: 'Oslo', line1: null },
      balance: 0,
    });
    const renamed = await stripe.customers.update(customer.id, { name: 'Ada', email: '' });
    expect(renamed).toMatchObject({ name: 'Ada', email: null });
    expect(await stripe.customers.del(customer.id)).toEqual({
      id: customer.id,
      object: 'customer',
      deleted: true,
    });
    expect(await stripe.customers.retrieve(customer.id)).toEqual({
      id: customer.id,
      object: 'customer',
      deleted: true,
    });
    expect((await refusal(stripe.customers.update(customer.id, { name: 'B' }))).code).toBe(
      'resource_missing',
    );
    expect((await stripe.customers.list()).data).toEqual([]);
  });

  it('are found by e-mail, which must look like one', async () => {
    const { stripe } = await openTestEmulator();
    const ada = await stripe.customers.create({ email: 'ada@example.com' });
    await stripe.customers.create({ email: 'bob@example.com' });
    expect((await stripe.customers.list({ email: 'ada@example.com' })).data.map(({ id }) => id)).toEqual([
      ada.id,
    ]);
    expect((await refusal(stripe.customers.create({ email: 'ada' }))).code).toBe('email_invalid');
  });
});
