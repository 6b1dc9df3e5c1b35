/** The turn of a billing period: the closed one is billed, the next one begins. */

import type { Account } from '../account.js';
import { endSubscription } from './cancellation.js';
import { keepsDrafts } from './finalization.js';
import { createDraft } from './invoice.js';
import { licensedLines, usageLines } from './invoice-line.js';
import { paymentMethodFor } from './payment-method.js';
import { type Period, periodAt } from './period.js';
import {
  isMetered,
  itemList,
  rhythmOf,
  type Subscription,
  type SubscriptionItem,
  updateSubscription,
} from './subscription.js';

/**
 * Turns the periods that end at or before `atSec`: one draft with the usage of the closed period and the fees of the
 * next. The trial's end is such a turn, with its usage free. Stripe: stripe-facts 4 and 8.
 */
export function turnPeriod(account: Account, subscription: Subscription, atSec: number): void {
  const trialEnds = subscription.status === 'trialing';
  if (trialEnds && stopsForWantOfCard(account, subscription, atSec)) return;
  const turning = subscription.items.data.filter((item) => item.current_period_end <= atSec);
  const closed = (item: SubscriptionItem): Period => ({
    startSec: item.current_period_start,
    endSec: item.current_period_end,
  });
  const next = (item: SubscriptionItem): Period => ({
    startSec: item.current_period_end,
    endSec: periodAt(subscription.billing_cycle_anchor, rhythmOf(item), item.current_period_end).endSec,
  });
  const lines = turning.flatMap((item) => {
    if (!isMetered(item)) return licensedLines(account, subscription, item, next(item));
    return trialEnds ? [] : usageLines(account, subscription, item, closed(item));
  });
  const items = subscription.items.data.map((item) => {
    if (!turning.includes(item)) return item;
    const { startSec, endSec } = next(item);
    return { ...item, current_period_start: startSec, current_period_end: endSec };
  });
  const invoice =
    lines.length === 0
      ? undefined
      : createDraft(account, {
          customer: subscription.customer,
          subscription,
          reason: 'subscription_cycle',
          lines,
          currency: subscription.currency,
          period: { startSec: Math.min(...turning.map((item) => item.current_period_start)), endSec: atSec },
          autoAdvance: subscription.status !== 'unpaid' && !keepsDrafts(subscription),
        });
  updateSubscription(account, subscription, {
    items: itemList(subscription.id, items),
    ...(trialEnds ? { status: 'active' } : {}),
    ...(invoice ? { latest_invoice: invoice.id } : {}),
  });
}

/** A trial that ends without a payment method may end or pause the subscription, if it was made so. */
function stopsForWantOfCard(account: Account, subscription: Subscription, atSec: number): boolean {
  const behavior = subscription.trial_settings?.end_behavior.missing_payment_method;
  if (subscription.collection_method !== 'charge_automatically') return false;
  if (paymentMethodFor(account, subscription.default_payment_method, subscription.customer)) return false;
  if (behavior === 'cancel') {
    endSubscription(account, subscription, { billUsage: false, reason: 'payment_failed' });
    return true;
  }
  if (behavior === 'pause') {
    const paused: Partial<Subscription> = {
      status: 'paused',
      status_details: pausedDetails('trial_end_without_payment_method', atSec),
    };
    updateSubscription(account, subscription, paused, 'customer.subscription.paused');
    return true;
  }
  return false;
}

/** When and why a subscription was paused. */
export function pausedDetails(reason: string, atSec: number): NonNullable<Subscription['status_details']> {
  return {
    paused: { subscription: { type: reason }, transitioned_at: atSec, type: 'subscription' },
  };
}
