/** The whole loop in one go, as a list of steps: each does something real over HTTP and says what came of it. */

import { openBilling, openStore, openTimedHost } from '../../app.js';
import { productIdOf } from '../../bootstrap/plan.js';
import { runBootstrap } from '../../bootstrap/run.js';
import type { Settings } from '../../config/settings.js';
import { openApp } from '../../daemon.js';
import { MeterctlError } from '../../domain/error.js';
import { minorFromMajor } from '../../domain/money.js';
import type { Store } from '../../domain/store.js';
import { currentSubscription } from '../../domain/subscription.js';
import { type Closers, createClosers } from '../../lib/closers.js';
import type { Host } from '../../lib/host.js';
import { type InvoiceReport, invoiceReport } from '../../reports/invoice.js';
import { callPaid, completeCheckout, openCheckout, pressForKey } from './buyer.js';
import { demoCatalog, demoSettings } from './settings.js';

/** Tells a step: its title, and lines about what happened. */
export type Tell = (title: string, lines: string[]) => void;

/** What came of the demo; it goes on serving until it is closed. */
export interface Demo {
  url: string;
  customer: string;
  key: string;
  calls: number;
  invoice: InvoiceReport;
  close(): Promise<void>;
}

/** So many paid calls are made. */
const calls = 5;

/** How long delivery may take before the demo gives up; it takes about the window of two seconds. */
const deliveryMaxMs = 20_000;

/** Plays the story in a folder that the caller throws away. Throws when any step does not do what it should. */
export async function playDemo(folder: string, machine: Host, tell: Tell): Promise<Demo> {
  const closers = createClosers();
  try {
    const settings = await bootstrap(folder, machine, tell);
    const host = closers.add(await openTimedHost(settings, machine));
    const app = await openApp(settings, machine);
    closers.add({ close: () => app.stop() });
    const { url } = await app.start();
    tell('Serve', [`The API answers at ${url}/api. Without a key it says ${await callPaid(machine, url)}.`]);
    const key = await buy(machine, url, tell);
    for (let call = 1; call < calls; call += 1) await callPaid(machine, url, key);
    tell('Call', [`${calls} calls with the key: ${await callPaid(machine, url, key)}`]);
    const store = await openForReading(settings, host, closers);
    const customer = (await store.listCustomers({ limit: 1 })).data[0];
    if (!customer) throw new MeterctlError('internal', 'The customer of the demo is not in its database.');
    await deliver(store, machine, tell);
    const billing = closers.add(await openBilling(settings, machine));
    const invoice = await invoiceReport({ store, billing }, customer.id);
    tell('Invoice', invoiceLines(invoice, currentSubscription(customer.subscriptions)?.status));
    return { url, customer: customer.id, key, calls, invoice, close: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function bootstrap(folder: string, machine: Host, tell: Tell): Promise<Settings> {
  const closers = createClosers();
  const fresh = demoSettings(folder, null);
  try {
    const host = closers.add(await openTimedHost(fresh, machine));
    const store = closers.add(await openStore(fresh, host));
    const billing = closers.add(await openBilling(fresh, machine));
    const { productName, unit, price, currency, interval, eventName } = demoCatalog;
    const {
      meter,
      product,
      price: metered,
    } = await runBootstrap(
      {
        ...{ store, billing, host },
        hasSecretOf: () => false,
        onStep: () => undefined,
        onSecret: async () => undefined,
      },
      {
        productName,
        unit,
        currency,
        interval,
        eventName,
        unitAmountMinor: minorFromMajor(price, currency),
        webhookUrl: null,
      },
    );
    tell('Set up', [
      `Product "${product.name}" (${productIdOf(eventName)}), $${price} per ${unit}, billed every ${interval}.`,
      `Meter ${meter.id}, price ${metered.id}: created in the embedded Stripe.`,
    ]);
    return demoSettings(folder, { meter: meter.id, product: product.id, price: metered.id });
  } finally {
    await closers.close();
  }
}

async function buy(machine: Host, url: string, tell: Tell): Promise<string> {
  const session = await openCheckout(machine, url);
  tell('Check out', [`POST ${url}/checkout opens Stripe's page for the buyer:`, session.url]);
  const successUrl = await completeCheckout(machine, session.url);
  const key = await pressForKey(machine, successUrl, `${url}/success`);
  tell('Get the key', [
    'The buyer pays with a test card, comes back, presses the button, and sees once:',
    key,
  ]);
  return key;
}

async function openForReading(settings: Settings, host: Host, closers: Closers): Promise<Store> {
  return closers.add(await openStore(settings, host));
}

async function deliver(store: Store, machine: Host, tell: Tell): Promise<void> {
  const startMs = machine.clock.nowMs();
  for (;;) {
    const { delivered, pending, claimed } = await store.countDeliveries(machine.clock.nowMs());
    if (pending + claimed === 0) {
      const seconds = ((machine.clock.nowMs() - startMs) / 1000).toFixed(1);
      const events = delivered === 1 ? '1 meter event' : `${delivered} meter events`;
      tell('Deliver', [`${calls} calls went to Stripe in ${events}, ${seconds} s later. Each exactly once.`]);
      return;
    }
    if (machine.clock.nowMs() - startMs > deliveryMaxMs) {
      throw new MeterctlError('unavailable', 'The usage did not reach the embedded Stripe in time.');
    }
    await machine.clock.sleep(50);
  }
}

function invoiceLines(invoice: InvoiceReport, status: string | undefined): string[] {
  const currency = invoice.currency.toUpperCase();
  return [
    `The subscription is ${status}; the invoice of ${invoice.period.end.slice(0, 10)} has so far:`,
    ...invoice.lines.map(({ description, amount }) => `${description}: ${amount} ${currency}`),
    `Due: ${invoice.amount_due} ${currency}`,
  ];
}
