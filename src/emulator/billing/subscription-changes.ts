/** Changes to a running subscription: its terms, its items, a pause and its end. */

import type { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, noSuch } from '../api-error.js';
import { mergeMetadata } from '../parameters.js';
import { newItem, quantityOnMetered, recurringPrice } from './billed-items.js';
import { billUsageSoFar } from './cancellation.js';
import { pausedDetails } from './cycle.js';
import { finalizeAndCollect } from './finalization.js';
import { createDraft } from './invoice.js';
import { pendingLines } from './invoice-item.js';
import { periodAt } from './period.js';
import {
  createItem,
  isLive,
  isMetered,
  itemList,
  rhythmOf,
  type Subscription,
  type SubscriptionItem,
  updateSubscription,
} from './subscription.js';
import type { pauseParameters } from './subscription-parameters.js';
import {
  cancellationChange,
  paymentChange,
  type SubscriptionUpdate,
  trialChange,
} from './subscription-terms.js';
import { timeOf } from './timeline.js';

type AskedItem = NonNullable<SubscriptionUpdate['items']>[number];

/** Applies an update. Throws where Stripe refuses. */
export function changeSubscription(
  account: Account,
  subscription: Subscription,
  update: SubscriptionUpdate,
): Subscription {
  needsLife(subscription);
  const now = timeOf(account, subscription.test_clock);
  const base: Partial<Subscription> = {
    metadata: mergeMetadata(subscription.metadata, update.metadata),
    ...(update.items ? { items: changedItems(account, subscription, update, now) } : {}),
    ...cancellationChange(subscription, update, now),
    ...trialChange(subscription, update, now),
    ...paymentChange(account, subscription, update),
  };
  if (update.description !== undefined) base.description = update.description;
  if (update.pause_collection !== undefined) {
    const { pause_collection: pause } = update;
    base.pause_collection = pause && { behavior: pause.behavior, resumes_at: pause.resumes_at ?? null };
  }
  const changed = updateSubscription(account, subscription, base);
  if (update.items && update.proration_behavior === 'always_invoice') invoicePending(account, changed, now);
  return account.objects.get('subscription', changed.id) ?? changed;
}

/** Pauses: nothing is billed until it is resumed. Usage so far waits for the next invoice, or is invoiced now. */
export function pauseSubscription(
  account: Account,
  subscription: Subscription,
  terms: z.output<typeof pauseParameters>,
): Subscription {
  if (subscription.status !== 'active' && subscription.status !== 'past_due') {
    throw new ApiError(`You cannot pause a subscription with the status \`${subscription.status}\`.`);
  }
  const now = timeOf(account, subscription.test_clock);
  if (terms.bill_for?.outstanding_usage_through?.type !== 'none') {
    for (const item of subscription.items.data) {
      billUsageSoFar(account, subscription, item.id, { now, forGood: true });
    }
  }
  const change = { status: 'paused', status_details: pausedDetails('pause_requested', now) };
  const paused = updateSubscription(account, subscription, change, 'customer.subscription.paused');
  if (terms.invoicing_behavior === 'invoice') invoicePending(account, paused, now);
  return account.objects.get('subscription', paused.id) ?? paused;
}

/** Resumes: periods start anew now, or go on as they were. */
export function resumeSubscription(
  account: Account,
  subscription: Subscription,
  anchor: 'now' | 'unchanged',
): Subscription {
  if (subscription.status !== 'paused') {
    throw new ApiError('You can only resume a subscription that is paused.');
  }
  const now = timeOf(account, subscription.test_clock);
  // The second of the pause was billed with it.
  const startSec = Math.max(now, (subscription.status_details?.paused.transitioned_at ?? 0) + 1);
  const billing_cycle_anchor = anchor === 'now' ? now : subscription.billing_cycle_anchor;
  const items = subscription.items.data.map((item) => {
    const { endSec } = periodAt(billing_cycle_anchor, rhythmOf(item), now);
    return { ...item, current_period_start: startSec, current_period_end: endSec };
  });
  const { status_details: _paused, ...rest } = subscription;
  const change = { status: 'active', billing_cycle_anchor, items: itemList(subscription.id, items) };
  return updateSubscription(account, rest, change, 'customer.subscription.resumed');
}

/** Takes an item off; past usage is billed unless `proration_behavior` is `none`. Stripe: stripe-facts 4. */
export function removeItem(
  account: Account,
  subscription: Subscription,
  itemId: string,
  proration: SubscriptionUpdate['proration_behavior'],
): void {
  needsLife(subscription);
  changeSubscription(account, subscription, {
    items: [{ id: itemId, deleted: true }],
    proration_behavior: proration,
  });
}

function needsLife(subscription: Subscription): void {
  if (isLive(subscription)) return;
  throw new ApiError('A canceled subscription can only update its cancellation_details and metadata.', {
    code: 'invalid_canceled_subscription_fields',
  });
}

/** Invoices what waits for the next invoice, at once. */
function invoicePending(account: Account, subscription: Subscription, now: number): void {
  const { customer, currency } = subscription;
  if (pendingLines(account, { customer, subscription, currency }).length === 0) return;
  const draft = createDraft(account, {
    customer,
    subscription,
    reason: 'subscription_update',
    lines: [],
    currency,
    period: { startSec: now, endSec: now },
  });
  updateSubscription(account, subscription, { latest_invoice: draft.id });
  finalizeAndCollect(account, draft);
}

function changedItems(
  account: Account,
  subscription: Subscription,
  update: SubscriptionUpdate,
  now: number,
): Subscription['items'] {
  let items = subscription.items.data;
  for (const [index, asked] of (update.items ?? []).entries()) {
    const param = `items[${index}]`;
    if (asked.id === undefined) {
      const added = newItem(account, asked, param);
      items = [...items, createItem(account, subscription, added, { startSec: now })];
      continue;
    }
    const present = items.find((item) => item.id === asked.id);
    if (!present) throw noSuch('subscription_item', asked.id, `${param}[id]`);
    const leaves = asked.deleted === true || (asked.price !== undefined && asked.price !== present.price.id);
    if (leaves && update.proration_behavior !== 'none') {
      billUsageSoFar(account, subscription, present.id, { now, forGood: asked.deleted === true });
    }
    const changed = asked.deleted ? [] : [changedItem(account, subscription, present, asked, { now, param })];
    items = items.flatMap((item) => (item.id === present.id ? changed : [item]));
  }
  if (items.length === 0) {
    throw new ApiError('A subscription must have at least one active plan.', { param: 'items' });
  }
  return itemList(subscription.id, items);
}

function changedItem(
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  asked: AskedItem,
  { now, param }: { now: number; param: string },
): SubscriptionItem {
  const metadata = mergeMetadata(item.metadata, asked.metadata);
  if (asked.price !== undefined && asked.price !== item.price.id) {
    const price = recurringPrice(account, asked.price, `${param}[price]`);
    const quantity = asked.quantity ?? item.quantity;
    const fresh = newItem(account, { price: price.id, ...(isMetered({ price }) ? {} : { quantity }) }, param);
    return { ...createItem(account, subscription, { ...fresh, metadata }, { startSec: now }), id: item.id };
  }
  if (asked.quantity === undefined) return { ...item, metadata };
  if (isMetered(item)) throw quantityOnMetered(`${param}[quantity]`);
  // This Stripe prorates no fees: a new quantity or price of a licensed item is billed from the next period on.
  return { ...item, metadata, quantity: asked.quantity };
}
