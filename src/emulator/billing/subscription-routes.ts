/** `/v1/subscriptions`. */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, exclusive, missing, noSuch, notFound } from '../api-error.js';
import { listObjects } from '../pagination.js';
import { mergeMetadata } from '../parameters.js';
import { type Route, route } from '../router.js';
import { newItems } from './billed-items.js';
import { endSubscription } from './cancellation.js';
import { isLive, type Subscription } from './subscription.js';
import { changeSubscription, pauseSubscription, resumeSubscription } from './subscription-changes.js';
import {
  cancelParameters,
  createParameters,
  listParameters,
  pauseParameters,
  resumeParameters,
  updateParameters,
} from './subscription-parameters.js';
import { type SubscriptionStart, startSubscription } from './subscription-start.js';
import { daySec, timeOf } from './timeline.js';

type NewSubscription = z.output<typeof createParameters>;

/** The subscription. Throws 404 when there is none. */
export function subscriptionById(account: Account, id: string): Subscription {
  const subscription = account.objects.get('subscription', id);
  if (!subscription) throw notFound('subscription', id);
  return subscription;
}

/** What a request asks to start, checked. */
function startOf(account: Account, asked: NewSubscription): SubscriptionStart {
  const customer = account.objects.get('customer', asked.customer);
  if (!customer) throw noSuch('customer', asked.customer, 'customer');
  const now = timeOf(account, customer.test_clock);
  checkTimes(asked, now);
  const method = asked.default_payment_method;
  if (method !== undefined && account.objects.get('payment_method', method)?.customer !== customer.id) {
    throw noSuch('payment_method', method, 'default_payment_method');
  }
  const payment = asked.payment_behavior ?? 'allow_incomplete';
  if (payment === 'pending_if_incomplete') {
    throw new ApiError('`pending_if_incomplete` is only supported when updating a subscription.', {
      param: 'payment_behavior',
    });
  }
  return {
    customer,
    items: newItems(account, asked.items),
    ...collectionOf(asked),
    defaultPaymentMethod: method ?? null,
    description: asked.description ?? null,
    metadata: mergeMetadata({}, asked.metadata),
    trialEndSec: trialEndOf(asked, now),
    trialWithoutMethod: asked.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
    backdateSec: asked.backdate_start_date,
    anchorSec: asked.billing_cycle_anchor,
    cancelAtSec: asked.cancel_at ?? null,
    cancelAtPeriodEnd: asked.cancel_at_period_end ?? false,
    payment,
  };
}

/** Invoices that are sent need to know when they are due, others must not. */
function collectionOf(asked: NewSubscription): Pick<SubscriptionStart, 'collectionMethod' | 'daysUntilDue'> {
  const collectionMethod = asked.collection_method ?? 'charge_automatically';
  if (collectionMethod === 'send_invoice' && asked.days_until_due === undefined)
    throw missing('days_until_due');
  if (collectionMethod === 'charge_automatically' && asked.days_until_due !== undefined) {
    throw new ApiError('`days_until_due` can only be set when `collection_method=send_invoice`.', {
      param: 'days_until_due',
    });
  }
  return { collectionMethod, daysUntilDue: asked.days_until_due ?? null };
}

function trialEndOf(asked: NewSubscription, now: number): number | null {
  const { trial_end: end, trial_period_days: days } = asked;
  if (end !== undefined && days !== undefined) throw exclusive('trial_end', 'trial_period_days');
  if (days !== undefined) return now + days * daySec;
  return end === undefined || end === 'now' ? null : end;
}

function checkTimes(asked: NewSubscription, now: number): void {
  if (asked.cancel_at !== undefined && asked.cancel_at_period_end) {
    throw exclusive('cancel_at', 'cancel_at_period_end');
  }
  const future = { cancel_at: asked.cancel_at, billing_cycle_anchor: asked.billing_cycle_anchor };
  for (const [param, at] of Object.entries(future)) {
    if (at === undefined || at > now) continue;
    throw new ApiError(`The \`${param}\` timestamp must be in the future.`, { param });
  }
  if (asked.backdate_start_date !== undefined && asked.backdate_start_date > now) {
    throw new ApiError('`backdate_start_date` must be in the past.', { param: 'backdate_start_date' });
  }
}

/** `canceled` ones show only when they are asked for. */
function wanted(status: string | undefined, subscription: Subscription): boolean {
  if (status === 'all') return true;
  if (status === 'ended') return !isLive(subscription);
  return status === undefined ? subscription.status !== 'canceled' : subscription.status === status;
}

/** Subscriptions. */
export const subscriptionRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/subscriptions',
    parameters: createParameters,
    handle: (account, { parameters }) => startSubscription(account, startOf(account, parameters)),
  }),
  route({
    method: 'get',
    path: '/v1/subscriptions',
    parameters: listParameters,
    handle(account, request) {
      const { created, customer, price, status, collection_method, test_clock } = request.parameters;
      return listObjects(account, 'subscription', request, {
        created,
        fields: { customer, collection_method, test_clock },
        where: (each) =>
          wanted(status, each) &&
          (price === undefined || each.items.data.some((item) => item.price.id === price)),
      });
    },
  }),
  route({
    method: 'get',
    path: '/v1/subscriptions/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => subscriptionById(account, path.id),
  }),
  route({
    method: 'post',
    path: '/v1/subscriptions/:id',
    parameters: updateParameters,
    handle: (account, { path, parameters }) =>
      changeSubscription(account, subscriptionById(account, path.id), parameters),
  }),
  route({
    method: 'delete',
    path: '/v1/subscriptions/:id',
    parameters: cancelParameters,
    handle(account, { path, parameters }) {
      const subscription = subscriptionById(account, path.id);
      if (!isLive(subscription)) throw notFound('subscription', path.id);
      const details = parameters.cancellation_details;
      return endSubscription(account, subscription, {
        billUsage: parameters.invoice_now,
        reason: 'cancellation_requested',
        comment: details?.comment ?? null,
        feedback: details?.feedback ?? null,
      });
    },
  }),
  route({
    method: 'post',
    path: '/v1/subscriptions/:id/pause',
    parameters: pauseParameters,
    handle: (account, { path, parameters }) =>
      pauseSubscription(account, subscriptionById(account, path.id), parameters),
  }),
  route({
    method: 'post',
    path: '/v1/subscriptions/:id/resume',
    parameters: resumeParameters,
    handle: (account, { path, parameters }) =>
      resumeSubscription(
        account,
        subscriptionById(account, path.id),
        parameters.billing_cycle_anchor?.type ?? 'now',
      ),
  }),
];
