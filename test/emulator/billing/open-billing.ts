/** A billing world for tests: an emulator, a metered price of one dollar a call, and a customer with a good card. */

import type Stripe from 'stripe';
import { type Emulator, openEmulator } from '../../../src/emulator/server.js';
import { openTestEmulator, type TestEmulator } from '../open-test-emulator.js';

export const hourSec = 3600;
export const daySec = 86_400;

/** What a test works with. */
export interface Billing extends TestEmulator {
  meter: Stripe.Billing.Meter;
  product: Stripe.Product;
  price: Stripe.Price;
  customer: Stripe.Customer;
  /** Seconds now, as the emulator sees it. */
  now(): number;
  /** Records usage of the customer, now or at a time. */
  use(value: number | string, options?: { at?: number; customer?: string }): Promise<void>;
  /** Moves the emulator's time on through everything that falls due. */
  advanceTo(sec: number): Promise<void>;
  /** The types of all events so far, oldest first. */
  eventTypes(): Promise<string[]>;
}

/** Opens one. The customer's card is a test card's id, or none. */
export async function openBilling(card: string | null = 'pm_card_visa'): Promise<Billing> {
  const test = await openTestEmulator();
  const { stripe, emulator } = test;
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  });
  const product = await stripe.products.create({ name: 'Fire API', unit_label: 'call' });
  const price = await stripe.prices.create({
    currency: 'usd',
    product: product.id,
    unit_amount: 100,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  });
  const customer = await stripe.customers.create({ email: 'ada@example.com', name: 'Ada' });
  if (card !== null) await giveCard(stripe, customer.id, card);
  let events = 0;
  return {
    ...test,
    meter,
    product,
    price,
    customer,
    now: () => emulator.account.clock.nowSec(),
    async use(value, options = {}) {
      events += 1;
      await stripe.billing.meterEvents.create({
        event_name: 'calls',
        identifier: `use-${events}`,
        payload: { stripe_customer_id: options.customer ?? customer.id, value: String(value) },
        ...(options.at === undefined ? {} : { timestamp: options.at }),
      });
    },
    async advanceTo(sec) {
      await stripe.rawRequest('POST', '/_emulator/advance', { to: sec });
    },
    async eventTypes() {
      const events = await stripe.events.list({ limit: 100 });
      return events.data.map((event) => event.type).reverse();
    },
  };
}

/** Attaches a test card and makes it the one to charge. */
export async function giveCard(
  stripe: Stripe,
  customer: string,
  card: string,
): Promise<Stripe.PaymentMethod> {
  const method = await stripe.paymentMethods.attach(card, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: method.id } });
  return method;
}

/** Opens the same file as another process would. */
export function openAgain(billing: Billing): Promise<Emulator> {
  return openEmulator({ port: 0, host: billing.host, databasePath: billing.databasePath });
}
