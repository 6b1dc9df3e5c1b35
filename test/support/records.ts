/** Records for tests: whole and valid, each with the fields that the test cares about. */

import { createHash } from 'node:crypto';
import type { Customer, StripeCustomer } from '../../src/domain/customer.js';
import type { NewApiKey } from '../../src/domain/key.js';
import type { CustomerStore } from '../../src/domain/store.js';
import type { Subscription } from '../../src/domain/subscription.js';
import type { NewUsage } from '../../src/domain/usage.js';
import type { NewWebhook } from '../../src/domain/webhook.js';
import { testStartMs } from './host.js';

const DAY_MS = 86_400_000;

/** The billing period that records lie in unless they say otherwise: November 2026. */
export const testPeriod = { startMs: Date.UTC(2026, 10, 1), endMs: Date.UTC(2026, 11, 1) };

/** A customer as Stripe tells it. */
export function stripeCustomer(fields: Partial<StripeCustomer> = {}): StripeCustomer {
  return {
    id: 'cus_one',
    email: 'one@example.com',
    name: 'One',
    createdAtMs: testStartMs - DAY_MS,
    deleted: false,
    ...fields,
  };
}

/** Stores a reading of Stripe that follows whatever is stored. */
export async function recordCustomer(
  store: CustomerStore,
  customer: StripeCustomer,
  ...subscriptions: Subscription[]
): Promise<Customer> {
  const follows = (await store.findCustomer(customer.id))?.readings ?? 0;
  const stored = await store.recordReading({ customer, subscriptions, follows });
  if (stored === 'stale') throw new Error(`Another reading of ${customer.id} was stored meanwhile.`);
  return stored;
}

/** Stores what Stripe tells anew about a subscription of a customer who is there already. */
export async function recordSubscription(
  store: CustomerStore,
  subscription: Subscription,
): Promise<Customer> {
  const customer = await store.findCustomer(subscription.customerId);
  if (!customer) throw new Error(`There is no customer ${subscription.customerId}.`);
  const { id, email, name, createdAtMs, deletedAtMs } = customer;
  const told = { id, email, name, createdAtMs, deleted: deletedAtMs !== null };
  return recordCustomer(store, told, subscription);
}

/** An active monthly subscription. */
export function subscriptionOf(customerId: string, fields: Partial<Subscription> = {}): Subscription {
  return {
    id: `sub_${customerId}`,
    customerId,
    status: 'active',
    priceId: 'price_one',
    itemId: `si_${customerId}`,
    period: testPeriod,
    interval: 'month',
    intervalCount: 1,
    anchorMs: testPeriod.startMs,
    cancelAtMs: null,
    cancelAtPeriodEnd: false,
    endedAtMs: null,
    pastDueSinceMs: null,
    createdAtMs: testPeriod.startMs,
    readAtMs: testStartMs,
    closingAtMs: null,
    ...fields,
  };
}

/** A key whose secret is its id. */
export function newKey(customerId: string, fields: Partial<NewApiKey> = {}): NewApiKey {
  const id = fields.id ?? `key_${customerId}`;
  return {
    id,
    customerId,
    name: null,
    hint: 'mk_test_…0000',
    hash: hashOf(id),
    metadata: {},
    scopes: [],
    ipAllow: [],
    limits: null,
    createdAtMs: testStartMs,
    expiresAtMs: null,
    ...fields,
  };
}

/** SHA-256, as keys are looked up by. */
export function hashOf(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest();
}

/** One call of the paid endpoint, in a five-second window. */
export function newUsage(customerNo: number, fields: Partial<NewUsage> = {}): NewUsage {
  const atMs = fields.atMs ?? testStartMs;
  const startMs = Math.floor(atMs / 5_000) * 5_000;
  return {
    customerNo,
    keyNo: null,
    meter: 'api_calls',
    route: 'GET /api',
    units: 1,
    atMs,
    window: { startMs, endMs: startMs + 5_000 },
    periodStartMs: testPeriod.startMs,
    ...fields,
  };
}

/** A verified message of Stripe's. */
export function newWebhook(fields: Partial<NewWebhook> = {}): NewWebhook {
  return {
    id: 'evt_one',
    kind: 'snapshot',
    type: 'customer.subscription.updated',
    body: '{"id":"evt_one","object":"event"}',
    createdAtMs: testStartMs,
    source: 'webhook',
    ...fields,
  };
}
