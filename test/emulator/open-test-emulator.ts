/** An emulator for tests: on a file in a temporary folder, with the real SDK pointed at it. */

import { join } from 'node:path';
import Stripe from 'stripe';
import { expect, onTestFinished } from 'vitest';
import { type Emulator, openEmulator } from '../../src/emulator/server.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost, type FakeHost } from '../support/host.js';

/** What a test works with. */
export interface TestEmulator {
  emulator: Emulator;
  host: FakeHost;
  stripe: Stripe;
  databasePath: string;
  /** A raw request with a good key. */
  request(path: string, init?: RequestInit): Promise<Response>;
}

/** Opens one; it closes with the test. */
export async function openTestEmulator(
  options: { databasePath?: string; fakeHost?: FakeHost; forwardTo?: { url: string; secret: string } } = {},
): Promise<TestEmulator> {
  const host = options.fakeHost ?? createFakeHost();
  const databasePath = options.databasePath ?? join(createTestFolder(), 'emulator.db');
  const emulator = await openEmulator({ port: 0, host, databasePath });
  if (options.forwardTo) emulator.forwardTo(options.forwardTo);
  onTestFinished(() => emulator.close());
  return {
    emulator,
    host,
    databasePath,
    stripe: createTestStripe(emulator),
    request: (path, init = {}) =>
      fetch(`${emulator.url}${path}`, {
        ...init,
        headers: { Authorization: 'Bearer sk_test_x', ...init.headers },
      }),
  };
}

/** The real SDK, pointed at an emulator. */
export function createTestStripe(emulator: Emulator, key = 'sk_test_x'): Stripe {
  return new Stripe(key, {
    host: '127.0.0.1',
    port: emulator.port,
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 0,
  });
}

/** The SDK's error that a call ends in. Fails the test when it does not end in one. */
export async function refusal(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const outcome = await call.then(
    (value: unknown) => ({ value }),
    (error: unknown) => ({ error }),
  );
  expect(outcome).toHaveProperty('error');
  if ('error' in outcome && outcome.error instanceof Stripe.errors.StripeError) return outcome.error;
  throw new Error('not an error of Stripe', { cause: outcome });
}

/** A meter, a product and a metered price of 5 cents. */
export async function createMeteredPrice(stripe: Stripe) {
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  });
  const product = await stripe.products.create({ name: 'API' });
  const price = await stripe.prices.create({
    currency: 'usd',
    product: product.id,
    unit_amount: 5,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  });
  return { meter, product, price };
}
