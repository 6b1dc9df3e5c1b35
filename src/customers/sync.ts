/** Brings a customer here up to what Stripe says now. Events and people only say that it is time to ask. */

import type { CustomerBilling } from '../domain/billing.js';
import type { Customer, CustomerReading, StripeCustomer } from '../domain/customer.js';
import { MeterctlError } from '../domain/error.js';
import type { CustomerStore } from '../domain/store.js';
import type { Subscription } from '../domain/subscription.js';

interface SyncDeps {
  store: CustomerStore;
  billing: CustomerBilling;
}

/** Others may store a reading meanwhile, twice at the most; more often only while Stripe's lists trail behind. */
const attemptsMax = 10;

/** Customers listed at once while all are synced. */
const batchMax = 100;

/**
 * Asks Stripe and stores the customer with all subscriptions on our meter. `subscriptionId` is one that is sure to exist:
 * Stripe's lists may trail behind what was just created. Throws `not_found` when Stripe has no such customer.
 */
export async function syncCustomer(
  deps: SyncDeps,
  customerId: string,
  subscriptionId?: string,
): Promise<Customer> {
  const synced = await sync(deps, customerId, subscriptionId, () => true);
  if (synced) return synced;
  throw new MeterctlError('not_found', `Stripe has no customer ${customerId}.`);
}

/**
 * Syncs a customer that an event names. One who is unknown here is adopted when he has a subscription on our meter, and
 * ignored otherwise (`undefined`): the account may have other business.
 */
export async function syncNamedCustomer(
  deps: SyncDeps,
  customerId: string,
  subscriptionId?: string,
): Promise<Customer | undefined> {
  const isOurs = (reading: CustomerReading) => reading.follows > 0 || reading.subscriptions.length > 0;
  return sync(deps, customerId, subscriptionId, isOurs);
}

/** What came of syncing everybody. */
export interface SyncedAll {
  /** How many customers are here as Stripe tells them now. */
  synced: number;
  /** Customers whom Stripe does not know, of another account perhaps. They stay as they were. */
  unknown: string[];
}

/** Syncs everybody who is known here. One whom Stripe does not know keeps nobody else from it. */
export async function syncAllCustomers(deps: SyncDeps): Promise<SyncedAll> {
  const all: SyncedAll = { synced: 0, unknown: [] };
  let cursor: string | undefined;
  do {
    const page = await deps.store.listCustomers({ limit: batchMax, cursor });
    for (const { id } of page.data) {
      try {
        await syncCustomer(deps, id);
        all.synced += 1;
      } catch (error) {
        if (!(error instanceof MeterctlError) || error.code !== 'not_found') throw error;
        all.unknown.push(id);
      }
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}

/**
 * A reading is stored only over the one that it follows. So whatever is stored was read after everything that was stored
 * before it, however many read at once, in whichever process, and whatever their clocks say.
 */
async function sync(
  { store, billing }: SyncDeps,
  customerId: string,
  subscriptionId: string | undefined,
  wanted: (reading: CustomerReading) => boolean,
): Promise<Customer | undefined> {
  let begunAfter: number | undefined;
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const known = await store.findCustomer(customerId);
    const follows = known?.readings ?? 0;
    begunAfter ??= follows;
    // The second reading that others have stored since was begun after this call: it has seen all that this one is to see.
    if (known && follows >= begunAfter + 2 && isComplete(known, subscriptionId)) return known;
    const told = await billing.findCustomer(customerId);
    if (!told) return undefined;
    const subscriptions = await readSubscriptions(billing, told, known, subscriptionId);
    const reading = { customer: told, subscriptions, follows };
    if (!wanted(reading)) {
      if (!(await store.findCustomer(customerId))) return undefined;
      continue;
    }
    const stored = await store.recordReading(reading);
    // Somebody may just have found nothing to adopt any more, and has left no trace of it: who adopts looks once more.
    if (stored !== 'stale' && follows > 0) return stored;
  }
  throw new MeterctlError('unavailable', `${customerId} changes faster than it can be read.`);
}

function isComplete({ subscriptions }: Customer, named: string | undefined): boolean {
  return named === undefined || subscriptions.some(({ id }) => id === named);
}

/** What Stripe lists, and what is known to exist beside. A subscription that is no longer on our meter has ended for us. */
async function readSubscriptions(
  billing: CustomerBilling,
  customer: StripeCustomer,
  known: Customer | undefined,
  named: string | undefined,
): Promise<Subscription[]> {
  const listed = customer.deleted ? [] : await billing.listSubscriptions(customer.id);
  const missing = new Set([...(known?.subscriptions ?? []).map(({ id }) => id), ...(named ? [named] : [])]);
  for (const { id } of listed) missing.delete(id);
  const found: Subscription[] = [];
  for (const id of missing) {
    const told = await billing.findSubscription(id);
    const last = known?.subscriptions.find((subscription) => subscription.id === id);
    if (told?.customerId === customer.id) found.push(told);
    else if (last) found.push(endedWithoutWord(last));
  }
  return [...listed, ...found];
}

function endedWithoutWord(last: Subscription): Subscription {
  return { ...last, status: 'canceled', endedAtMs: last.endedAtMs ?? last.readAtMs };
}
