/** Subscriptions in today's shape: the period lives on the item (stripe-facts 1). */

import type Stripe from 'stripe';
import type { CustomerBilling } from '../domain/billing.js';
import { MeterctlError } from '../domain/error.js';
import type { Subscription } from '../domain/subscription.js';
import type { Interval } from '../lib/calendar.js';
import type { Clock } from '../lib/host.js';
import { repeatable } from './client.js';
import { asking, finding } from './errors.js';

type Subscriptions = Pick<
  CustomerBilling,
  'addSubscription' | 'findSubscription' | 'listSubscriptions' | 'cancelSubscription' | 'cancelAtPeriodEnd'
>;

/** Invoices by mail give so long to pay. */
const daysUntilDue = 30;

/** Subscriptions billed by the meter, through this client. */
export function createSubscriptions(stripe: Stripe, meterId: string, clock: Clock): Subscriptions {
  const read = createReading(stripe, meterId);
  return {
    addSubscription: (customerId, priceId, attempt) =>
      asking('subscribe the customer', async () => {
        const readAtMs = clock.nowMs();
        const created = await stripe.subscriptions.create(
          {
            customer: customerId,
            items: [{ price: priceId }],
            collection_method: 'send_invoice',
            days_until_due: daysUntilDue,
          },
          { idempotencyKey: attempt, ...repeatable },
        );
        const subscription = await read(created, readAtMs);
        if (subscription) return subscription;
        throw new MeterctlError('conflict', `The price ${priceId} is not billed by the meter ${meterId}.`);
      }),

    findSubscription: (id) =>
      finding('read the subscription', async () => {
        const readAtMs = clock.nowMs();
        return read(await stripe.subscriptions.retrieve(id, {}, repeatable), readAtMs);
      }),

    listSubscriptions: (customerId) =>
      asking('list the subscriptions', async () => {
        const readAtMs = clock.nowMs();
        const found: Subscription[] = [];
        const list = stripe.subscriptions.list(
          { customer: customerId, status: 'all', limit: 100 },
          repeatable,
        );
        for await (const subscription of list) {
          const ours = await read(subscription, readAtMs);
          if (ours) found.push(ours);
        }
        return found;
      }),

    async cancelSubscription(id, { invoice, comment }) {
      // Stripe answers 404 about one that is canceled already, so a lost answer can be asked for again.
      await finding('cancel the subscription', () =>
        stripe.subscriptions.cancel(
          id,
          { invoice_now: invoice, prorate: false, cancellation_details: { comment } },
          repeatable,
        ),
      );
    },

    async cancelAtPeriodEnd(id) {
      await asking('cancel the subscription at the end of its period', () =>
        stripe.subscriptions.update(id, { cancel_at_period_end: true }, repeatable),
      );
    },
  };
}

type Reading = (subscription: Stripe.Subscription, readAtMs: number) => Promise<Subscription | undefined>;

/** Reads a subscription by its item of our meter; `undefined` when none is: the account may sell other things too. */
function createReading(stripe: Stripe, meterId: string): Reading {
  const isOurs = ({ price }: Stripe.SubscriptionItem) => price.recurring?.meter === meterId;

  /** Stripe puts the first items into the subscription, and says whether there are more. */
  async function findItem({ id, items }: Stripe.Subscription): Promise<Stripe.SubscriptionItem | undefined> {
    const shown = items.data.find(isOurs);
    if (shown || !items.has_more) return shown;
    for await (const item of stripe.subscriptionItems.list({ subscription: id, limit: 100 }, repeatable))
      if (isOurs(item)) return item;
    return undefined;
  }

  return async (subscription, readAtMs) => {
    const item = await findItem(subscription);
    return item && subscriptionOf(subscription, item, readAtMs);
  };
}

/** The subscription as meterctl sees it by that item, read at `readAtMs`. */
function subscriptionOf(
  subscription: Stripe.Subscription,
  item: Stripe.SubscriptionItem,
  readAtMs: number,
): Subscription | undefined {
  if (!item.price.recurring) return undefined;
  return {
    id: subscription.id,
    customerId: typeof subscription.customer === 'string' ? subscription.customer : subscription.customer.id,
    status: subscription.status,
    priceId: item.price.id,
    itemId: item.id,
    period: { startMs: item.current_period_start * 1000, endMs: item.current_period_end * 1000 },
    interval: intervalOf(item.price.recurring.interval),
    intervalCount: item.price.recurring.interval_count,
    anchorMs: subscription.billing_cycle_anchor * 1000,
    cancelAtMs: msOf(subscription.cancel_at),
    cancelAtPeriodEnd: subscription.cancel_at_period_end,
    endedAtMs: msOf(subscription.ended_at),
    pastDueSinceMs: subscription.status === 'past_due' ? readAtMs : null,
    createdAtMs: subscription.created * 1000,
    readAtMs,
    closingAtMs: null,
  };
}

/** Stripe's interval word. The list is open in the types, but has been these four for ever. */
export function intervalOf(word: string): Interval {
  if (word === 'day' || word === 'week' || word === 'month' || word === 'year') return word;
  throw new TypeError(`Stripe counts in an interval that is unknown here: ${word}`);
}

function msOf(seconds: number | null | undefined): number | null {
  return typeof seconds === 'number' ? seconds * 1000 : null;
}
