/** What an update changes in a subscription's own terms: its end, its trial, how it is paid. */

import type { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, exclusive, noSuch } from '../api-error.js';
import { itemList, periodEndOf, type Subscription } from './subscription.js';
import type { updateParameters } from './subscription-parameters.js';

/** What an update asks for. */
export type SubscriptionUpdate = z.output<typeof updateParameters>;

/** `cancel_at_period_end` stands for the end of the period; taking it back takes `cancel_at` back as well. */
export function cancellationChange(
  subscription: Subscription,
  update: SubscriptionUpdate,
  now: number,
): Partial<Subscription> {
  const { cancel_at: at, cancel_at_period_end: atEnd } = update;
  if (at !== undefined && at !== null && atEnd) throw exclusive('cancel_at', 'cancel_at_period_end');
  if (at !== undefined && at !== null && at <= now) {
    throw new ApiError('The `cancel_at` timestamp must be in the future.', { param: 'cancel_at' });
  }
  const details = update.cancellation_details;
  const told = details && {
    comment: details.comment ?? null,
    feedback: details.feedback ?? null,
    feedback_option: null,
    reason: subscription.cancellation_details?.reason ?? null,
  };
  const asked = atEnd ? periodEndOf(subscription) : at;
  const cancelAt = asked !== undefined ? asked : atEnd === false ? null : subscription.cancel_at;
  return {
    ...(told ? { cancellation_details: told } : {}),
    cancel_at: cancelAt,
    cancel_at_period_end: atEnd ?? (at === undefined ? subscription.cancel_at_period_end : false),
    canceled_at: cancelAt === null ? null : (subscription.canceled_at ?? now),
  };
}

/** A trial that is given, moved or ended. Throws on an end that has passed. */
export function trialChange(
  subscription: Subscription,
  update: SubscriptionUpdate,
  now: number,
): Partial<Subscription> {
  const { trial_end: trialEnd } = update;
  if (trialEnd === undefined) return {};
  const end = trialEnd === 'now' ? now : trialEnd;
  if (end < now)
    throw new ApiError('Invalid timestamp: must be an integer Unix timestamp in the future.', {
      param: 'trial_end',
    });
  // The period ends with the trial; the turn that follows starts the first paid one.
  const items = subscription.items.data.map((item) => ({ ...item, current_period_end: end }));
  return {
    status: 'trialing',
    trial_start: subscription.trial_start ?? now,
    trial_end: end,
    billing_cycle_anchor: end,
    items: itemList(subscription.id, items),
  };
}

/** How the subscription is paid. Throws on a payment method of somebody else. */
export function paymentChange(
  account: Account,
  subscription: Subscription,
  update: SubscriptionUpdate,
): Partial<Subscription> {
  const method = update.default_payment_method;
  if (
    method !== undefined &&
    account.objects.get('payment_method', method)?.customer !== subscription.customer
  ) {
    throw noSuch('payment_method', method, 'default_payment_method');
  }
  const collection = update.collection_method ?? subscription.collection_method;
  if (update.days_until_due !== undefined && collection !== 'send_invoice') {
    throw new ApiError('`days_until_due` can only be set when `collection_method=send_invoice`.', {
      param: 'days_until_due',
    });
  }
  const sends = collection === 'send_invoice';
  return {
    ...(method === undefined ? {} : { default_payment_method: method }),
    collection_method: collection,
    days_until_due: sends ? (update.days_until_due ?? subscription.days_until_due) : null,
  };
}
