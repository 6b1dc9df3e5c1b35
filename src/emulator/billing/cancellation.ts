/** The end of a subscription: at once, at its period's end, for want of payment, or with its customer. */

import type { Account } from '../account.js';
import { createDraft, notAdvancing, subscriptionOf, updateInvoice } from './invoice.js';
import type { Invoice } from './invoice-document.js';
import { keepPending } from './invoice-item.js';
import { usageLines } from './invoice-line.js';
import { isLive, isMetered, type Subscription, saveSubscription } from './subscription.js';
import { timeOf } from './timeline.js';

/** How a subscription ends. */
export interface Ending {
  /** Bill the usage of the running period. False drops it. Stripe: stripe-facts 8. */
  billUsage: boolean;
  reason: 'cancellation_requested' | 'payment_failed';
  comment?: string | null;
  feedback?: string | null;
}

/** Ends a subscription now and tells with `customer.subscription.deleted`. */
export function endSubscription(account: Account, subscription: Subscription, ending: Ending): Subscription {
  const now = timeOf(account, subscription.test_clock);
  const ended: Subscription = {
    ...subscription,
    status: 'canceled',
    ended_at: now,
    canceled_at: subscription.canceled_at ?? now,
    cancellation_details: {
      comment: ending.comment ?? subscription.cancellation_details?.comment ?? null,
      feedback: ending.feedback ?? subscription.cancellation_details?.feedback ?? null,
      feedback_option: null,
      reason: ending.reason,
    },
  };
  saveSubscription(account, ended);
  stopCollecting(account, ended);
  const last = ending.billUsage ? finalInvoice(account, ended, now) : undefined;
  const closed = last ? { ...ended, latest_invoice: last.id } : ended;
  saveSubscription(account, closed);
  account.emit('customer.subscription.deleted', closed);
  return closed;
}

/** Ends every subscription of a customer who is being deleted; usage is lost. Stripe: stripe-facts 8. */
export function endSubscriptionsOf(account: Account, customer: string): void {
  for (const subscription of account.objects.all('subscription', { fields: { customer } })) {
    if (!isLive(subscription)) continue;
    endSubscription(account, subscription, { billUsage: false, reason: 'cancellation_requested' });
  }
}

/**
 * Keeps the running period's usage of an item for the next invoice. `forGood`: nothing goes on counting from this second on, so
 * that its usage is in.
 */
export function billUsageSoFar(
  account: Account,
  subscription: Subscription,
  itemId: string,
  { now, forGood }: { now: number; forGood: boolean },
): void {
  const item = subscription.items.data.find((each) => each.id === itemId);
  if (!item || !isMetered(item) || subscription.status === 'trialing') return;
  const period = { startSec: item.current_period_start, endSec: now };
  const counted = forGood ? { ...subscription, ended_at: now } : subscription;
  const used = usageLines(account, counted, item, period).filter(
    (line) => line.amount !== 0 || line.quantity_decimal !== '0',
  );
  keepPending(account, subscription, used, now);
}

/** The usage of the running period, on a draft that becomes final in an hour. Trials are free. */
function finalInvoice(account: Account, subscription: Subscription, now: number): Invoice | undefined {
  const items = subscription.items.data.filter((item) => isMetered(item) && item.current_period_start <= now);
  if (items.length === 0 || (subscription.trial_end ?? 0) > now) return undefined;
  const lines = items.flatMap((item) =>
    usageLines(account, subscription, item, {
      startSec: item.current_period_start,
      endSec: Math.min(item.current_period_end, now),
    }),
  );
  const startSec = Math.min(...items.map((item) => item.current_period_start));
  return createDraft(account, {
    customer: subscription.customer,
    subscription,
    reason: 'subscription_cycle',
    lines,
    currency: subscription.currency,
    period: { startSec, endSec: now },
  });
}

/** "Stripe stops automatic collection of all finalized invoices" of a canceled subscription. Drafts go on. */
function stopCollecting(account: Account, subscription: Subscription): void {
  const open = account.objects.all('invoice', {
    fields: { customer: subscription.customer, status: 'open' },
  });
  for (const invoice of open) {
    if (subscriptionOf(account, invoice)?.id !== subscription.id) continue;
    updateInvoice(account, invoice, notAdvancing(invoice), 'invoice.updated');
  }
}
