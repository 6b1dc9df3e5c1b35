/** Reading Stripe's counts back through the real SDK, from the embedded Stripe. */

import { describe, expect, it } from 'vitest';
import { createBilling } from '../../src/stripe/billing.js';
import { createMeteredPrice, openTestEmulator } from '../emulator/open-test-emulator.js';

const hourMs = 3_600_000;

async function setUp() {
  const { stripe, emulator, host } = await openTestEmulator();
  const { meter } = await createMeteredPrice(stripe);
  const billing = createBilling(
    { secretKey: 'sk_test_x', apiBase: emulator.url, meterId: meter.id },
    host.clock,
  );
  const customer = (await stripe.customers.create({})).id;
  const send = (atMs: number, value: string) =>
    stripe.billing.meterEvents.create({
      event_name: 'calls',
      timestamp: Math.floor(atMs / 1000),
      payload: { stripe_customer_id: customer, value },
    });
  return { billing, customer, send, nowMs: host.clock.nowMs() };
}

describe('what Stripe has counted', () => {
  it('is one sum of a range whose end is left out', async () => {
    const { billing, customer, send, nowMs } = await setUp();
    await send(nowMs - 120_000, '3');
    await send(nowMs - 60_001, '4');
    await send(nowMs - 60_000, '5');
    expect(await billing.sumMeterEvents(customer, nowMs - 120_000, nowMs - 60_000)).toBe(7);
    expect(await billing.sumMeterEvents(customer, nowMs - 60_000, nowMs)).toBe(5);
    expect(await billing.sumMeterEvents(customer, nowMs - hourMs, nowMs - 120_000)).toBe(0);
  });

  it('is listed by hour over more than one page, oldest first, empty hours left out', async () => {
    const { billing, customer, send, nowMs } = await setUp();
    const hours = Array.from({ length: 120 }, (_, n) => nowMs - (n + 2) * hourMs);
    for (const [index, atMs] of hours.entries()) await send(atMs, String(index + 1));
    const sums = await billing.listMeterSums(customer, nowMs - 840 * hourMs, nowMs);
    expect(sums).toEqual(
      hours
        .map((startMs, index) => ({ startMs, endMs: startMs + hourMs, units: index + 1 }))
        .sort((a, b) => a.startMs - b.startMs),
    );
  });

  it('says what is wrong', async () => {
    const { billing, nowMs } = await setUp();
    await expect(billing.sumMeterEvents('cus_none', nowMs - hourMs, nowMs)).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
