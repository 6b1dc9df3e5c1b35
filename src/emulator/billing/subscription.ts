/** Subscriptions as documents: what they look like, how they are written, what is told about a change. */

import type { Account } from '../account.js';
import type { Stored } from '../object-kinds.js';
import { periodAt } from './period.js';
import { previousAttributes } from './previous-attributes.js';

/** A stored subscription; its items are inside, and each is stored on its own as well, to be found by its id. */
export type Subscription = Stored<'subscription'>;
/** An item of a subscription. */
export type SubscriptionItem = Stored<'subscription_item'>;

/** Most recurring items of a subscription. Stripe: stripe-facts 4. */
export const itemsMax = 20;

/** Seconds a first invoice may stay unpaid before the subscription expires. Stripe: stripe-facts 8. */
export const incompleteSec = 23 * 3600;

/** True until the subscription has come to its end. */
export function isLive(subscription: Subscription): boolean {
  return subscription.status !== 'canceled' && subscription.status !== 'incomplete_expired';
}

/** True for an item that is billed by usage. */
export function isMetered(item: { price: SubscriptionItem['price'] }): boolean {
  return item.price.recurring?.usage_type === 'metered';
}

/** How often an item is billed. */
export function rhythmOf(item: { id: string; price: SubscriptionItem['price'] }): {
  interval: string;
  interval_count: number;
} {
  const { recurring } = item.price;
  if (!recurring) throw new TypeError(`${item.id} has a price that does not recur`);
  return recurring;
}

/** The end of the period that ends first; subscriptions with several intervals have several. */
export function periodEndOf(subscription: Subscription): number {
  return Math.min(...subscription.items.data.map((item) => item.current_period_end));
}

/** Writes a subscription and its items; items it no longer has are removed. */
export function saveSubscription(account: Account, subscription: Subscription): Subscription {
  const before = account.objects.get('subscription', subscription.id);
  const kept = new Set(subscription.items.data.map((item) => item.id));
  for (const item of before?.items.data ?? []) {
    if (!kept.has(item.id)) account.objects.remove('subscription_item', item.id);
  }
  for (const item of subscription.items.data) account.objects.put('subscription_item', item);
  return account.objects.put('subscription', subscription);
}

/**
 * Changes fields of a subscription and tells with `customer.subscription.updated`, or with `event`, when anything has
 * changed.
 */
export function updateSubscription(
  account: Account,
  subscription: Subscription,
  change: Partial<Subscription>,
  event = 'customer.subscription.updated',
): Subscription {
  const updated = { ...subscription, ...change };
  const previous = previousAttributes(subscription, updated);
  if (previous === undefined) return subscription;
  saveSubscription(account, updated);
  if (event === 'customer.subscription.updated') account.emit(event, updated, previous);
  else account.emit(event, updated);
  return updated;
}

/** The items in the shape of a list, as they stand in a subscription. */
export function itemList(subscriptionId: string, data: SubscriptionItem[]): Subscription['items'] {
  return {
    object: 'list',
    data,
    has_more: false,
    url: `/v1/subscription_items?subscription=${subscriptionId}`,
  };
}

/** What an item is made of. */
export interface NewItem {
  price: Stored<'price'>;
  /** Undefined for metered prices. */
  quantity: number | undefined;
  metadata: Record<string, string>;
}

/** An item whose period contains `atSec`, counted from the subscription's anchor. */
export function createItem(
  account: Account,
  subscription: { id: string; billing_cycle_anchor: number },
  item: NewItem,
  period: { startSec: number; endSec?: number | undefined },
): SubscriptionItem {
  const created: SubscriptionItem = {
    id: account.newId('si'),
    object: 'subscription_item',
    billing_thresholds: null,
    created: period.startSec,
    current_period_start: period.startSec,
    current_period_end: period.endSec ?? period.startSec,
    current_trial: null,
    discounts: [],
    metadata: item.metadata,
    plan: planOf(item.price),
    price: item.price,
    ...(item.quantity === undefined ? {} : { quantity: item.quantity }),
    subscription: subscription.id,
    tax_rates: [],
  };
  if (period.endSec !== undefined) return created;
  const { endSec } = periodAt(subscription.billing_cycle_anchor, rhythmOf(created), period.startSec);
  return { ...created, current_period_end: endSec };
}

/** The plan that old integrations still read: the price in its former words. */
function planOf(price: Stored<'price'>): SubscriptionItem['plan'] {
  const { recurring } = price;
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: recurring?.interval ?? 'month',
    interval_count: recurring?.interval_count ?? 1,
    livemode: false,
    metadata: price.metadata,
    meter: recurring?.meter ?? null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: price.tiers_mode,
    transform_usage: price.transform_quantity,
    trial_period_days: null,
    usage_type: recurring?.usage_type ?? 'licensed',
  };
}
