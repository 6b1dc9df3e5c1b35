/** `/v1/subscription_items`. */

import { z } from 'zod';
import type { Account } from '../account.js';
import { noSuch, notFound } from '../api-error.js';
import { listRows, pageParameters } from '../pagination.js';
import { flag, integer, metadata, oneOf, text } from '../parameters.js';
import { type Route, route } from '../router.js';
import type { Subscription, SubscriptionItem } from './subscription.js';
import { changeSubscription, removeItem } from './subscription-changes.js';
import { subscriptionById } from './subscription-routes.js';

const proration = oneOf(['always_invoice', 'create_prorations', 'none']).default('create_prorations');

const itemParameters = {
  metadata: metadata().optional(),
  payment_behavior: text().optional(),
  price: text().optional(),
  proration_behavior: proration,
  proration_date: integer({ min: 0 }).optional(),
  quantity: integer({ min: 0 }).optional(),
};

function itemById(account: Account, id: string): SubscriptionItem {
  const item = account.objects.get('subscription_item', id);
  if (!item) throw notFound('subscription_item', id);
  return item;
}

function named(account: Account, id: string): Subscription {
  const subscription = account.objects.get('subscription', id);
  if (!subscription) throw noSuch('subscription', id, 'subscription');
  return subscription;
}

/** Items of subscriptions. */
export const subscriptionItemRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/subscription_items',
    parameters: z.strictObject({ ...pageParameters, subscription: text() }),
    handle: (account, request) =>
      listRows(named(account, request.parameters.subscription).items.data, request),
  }),
  route({
    method: 'post',
    path: '/v1/subscription_items',
    parameters: z.strictObject({ ...itemParameters, subscription: text() }),
    handle(account, { parameters }) {
      const { subscription: id, proration_behavior, metadata: pairs, price, quantity } = parameters;
      const present = named(account, id);
      const items = [{ price, quantity, metadata: pairs }];
      const { items: after } = changeSubscription(account, present, { items, proration_behavior });
      return after.data.at(-1) ?? after;
    },
  }),
  route({
    method: 'get',
    path: '/v1/subscription_items/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => itemById(account, path.id),
  }),
  route({
    method: 'post',
    path: '/v1/subscription_items/:id',
    parameters: z.strictObject(itemParameters),
    handle(account, { path, parameters }) {
      const { proration_behavior, metadata: pairs, price, quantity } = parameters;
      const { subscription } = itemById(account, path.id);
      const items = [{ id: path.id, price, quantity, metadata: pairs }];
      changeSubscription(account, subscriptionById(account, subscription), { items, proration_behavior });
      return itemById(account, path.id);
    },
  }),
  route({
    method: 'delete',
    path: '/v1/subscription_items/:id',
    parameters: z.strictObject({
      clear_usage: flag().optional(),
      proration_behavior: proration,
      proration_date: integer({ min: 0 }).optional(),
    }),
    handle(account, { path, parameters }) {
      const { subscription } = itemById(account, path.id);
      removeItem(account, subscriptionById(account, subscription), path.id, parameters.proration_behavior);
      return { id: path.id, object: 'subscription_item', deleted: true };
    },
  }),
];
