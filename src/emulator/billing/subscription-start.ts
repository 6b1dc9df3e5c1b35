/** The start of a subscription: its periods, its first invoice, and whether it is active at once. */

import type { Account } from '../account.js';
import { ApiError } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { finalize, finalizeAndCollect } from './finalization.js';
import { createDraft, notAdvancing } from './invoice.js';
import type { Invoice } from './invoice-document.js';
import { licensedLines } from './invoice-line.js';
import { cardError, paymentMethodFor } from './payment-method.js';
import {
  createItem,
  isMetered,
  itemList,
  type NewItem,
  type Subscription,
  saveSubscription,
  updateSubscription,
} from './subscription.js';
import { subscriptionDocument } from './subscription-document.js';
import { timeOf } from './timeline.js';

/** What to do when the first payment does not succeed at once. */
type PaymentBehavior = 'allow_incomplete' | 'default_incomplete' | 'error_if_incomplete';

/** What a new subscription is made of. Times in seconds. */
export interface SubscriptionStart {
  customer: Stored<'customer'>;
  items: NewItem[];
  collectionMethod: 'charge_automatically' | 'send_invoice';
  daysUntilDue: number | null;
  defaultPaymentMethod: string | null;
  description: string | null;
  metadata: Record<string, string>;
  trialEndSec: number | null;
  trialWithoutMethod: 'create_invoice' | 'pause' | 'cancel';
  backdateSec: number | undefined;
  anchorSec: number | undefined;
  cancelAtSec: number | null;
  cancelAtPeriodEnd: boolean;
  payment: PaymentBehavior;
}

/**
 * Starts a subscription. One with metered prices alone has no first invoice and is active at once; fees that are due in advance
 * are invoiced and charged at once. Stripe: stripe-facts 4. Throws where Stripe refuses.
 */
export function startSubscription(account: Account, start: SubscriptionStart): Subscription {
  const fresh = freshSubscription(account, start);
  const dueNow = fresh.status !== 'trialing' && fresh.items.data.some((item) => !isMetered(item));
  const byCard = start.collectionMethod === 'charge_automatically';
  if (dueNow && byCard && start.payment !== 'default_incomplete') needsPaymentMethod(account, start);
  const created = saveSubscription(account, dueNow && byCard ? { ...fresh, status: 'incomplete' } : fresh);
  account.emit('customer.subscription.created', created);
  if (!dueNow) return created;
  return settleFirst(account, updateSubscription(account, created, firstInvoice(account, created)), start);
}

function freshSubscription(account: Account, start: SubscriptionStart): Subscription {
  const now = timeOf(account, start.customer.test_clock);
  const trialing = start.trialEndSec !== null && start.trialEndSec > now;
  const anchor = start.anchorSec ?? (trialing ? start.trialEndSec : null) ?? now;
  const id = account.newId('sub');
  const endSec = trialing ? (start.trialEndSec ?? undefined) : undefined;
  const items = start.items.map((item) => {
    const created = createItem(account, { id, billing_cycle_anchor: anchor }, item, {
      startSec: now,
      endSec,
    });
    // The first period of a backdated subscription is longer: it holds the usage since then (stripe-facts 4).
    return trialing ? created : { ...created, current_period_start: start.backdateSec ?? now };
  });
  const periodEnd = Math.min(...items.map((item) => item.current_period_end));
  const cancelAt = start.cancelAtPeriodEnd ? periodEnd : start.cancelAtSec;
  return subscriptionDocument({
    id,
    billing_cycle_anchor: anchor,
    cancel_at: cancelAt,
    cancel_at_period_end: start.cancelAtPeriodEnd,
    canceled_at: cancelAt === null ? null : now,
    collection_method: start.collectionMethod,
    created: now,
    currency: start.items[0]?.price.currency ?? 'usd',
    customer: start.customer.id,
    days_until_due: start.daysUntilDue,
    default_payment_method: start.defaultPaymentMethod,
    description: start.description,
    items: itemList(id, items),
    metadata: start.metadata,
    start_date: start.backdateSec ?? now,
    status: trialing ? 'trialing' : 'active',
    test_clock: start.customer.test_clock ?? null,
    trial_end: trialing ? start.trialEndSec : null,
    trial_settings: {
      end_behavior: { billing_cycle_anchor: null, missing_payment_method: start.trialWithoutMethod },
    },
    trial_start: trialing ? now : null,
  });
}

function needsPaymentMethod(account: Account, start: SubscriptionStart): void {
  if (paymentMethodFor(account, start.defaultPaymentMethod, start.customer.id)) return;
  throw new ApiError(
    'This customer has no attached payment source or default payment method. Please consider adding a default payment method. ' +
      'For more information, visit https://docs.stripe.com/billing/subscriptions/payment-methods-setting#payment-method-priority.',
    { code: 'resource_missing' },
  );
}

/** The draft of what is due in advance, as the change it makes to its subscription. */
function firstInvoice(account: Account, subscription: Subscription): { latest_invoice: string } {
  const now = timeOf(account, subscription.test_clock);
  const licensed = subscription.items.data.filter((item) => !isMetered(item));
  const draft = createDraft(account, {
    customer: subscription.customer,
    subscription,
    reason: 'subscription_create',
    lines: licensed.flatMap((item) =>
      licensedLines(account, subscription, item, {
        startSec: item.current_period_start,
        endSec: item.current_period_end,
      }),
    ),
    currency: subscription.currency,
    period: { startSec: now, endSec: now },
  });
  return { latest_invoice: draft.id };
}

/** Asks for the first payment. Invoices that are sent wait as drafts, like all others. */
function settleFirst(account: Account, subscription: Subscription, start: SubscriptionStart): Subscription {
  const draft = account.objects.get('invoice', subscription.latest_invoice ?? '');
  if (draft && start.collectionMethod === 'charge_automatically') payFirst(account, draft, start.payment);
  return account.objects.get('subscription', subscription.id) ?? subscription;
}

function payFirst(account: Account, draft: Invoice, payment: PaymentBehavior): void {
  if (payment === 'default_incomplete' && draft.amount_due > 0) {
    const open = finalize(account, draft);
    account.objects.put('invoice', notAdvancing(open));
    return;
  }
  const { invoice, failure } = finalizeAndCollect(account, draft);
  if (!failure) return;
  if (payment === 'error_if_incomplete') throw cardError(failure);
  // A first invoice is not retried: the buyer has 23 hours to pay it himself.
  account.objects.put('invoice', notAdvancing(invoice));
}
