/** How open invoices are paid: charged, retried for two weeks, and what a failure does to the subscription. */

import type { Account } from '../account.js';
import { endSubscription } from './cancellation.js';
import { notAdvancing, subscriptionOf, updateInvoice } from './invoice.js';
import type { Invoice } from './invoice-document.js';
import { charge, type PaymentMethod, paymentMethodFor } from './payment-method.js';
import { updateSubscription } from './subscription.js';
import type { Failure } from './test-payment-methods.js';
import { daySec, timeOf } from './timeline.js';

/** Days from one failed try to the next: eight tries in two weeks. Stripe: stripe-facts 8. */
const retryDays: readonly number[] = [1, 1, 2, 2, 2, 3, 3];

/** What an attempt came to. */
export interface Attempt {
  invoice: Invoice;
  failure: Failure | undefined;
}

/** Tries to charge an open invoice; failing that, plans the next try. */
export function collect(account: Account, invoice: Invoice, method?: PaymentMethod): Attempt {
  const subscription = subscriptionOf(account, invoice);
  const chosen =
    method ?? paymentMethodFor(account, subscription?.default_payment_method ?? null, invoice.customer ?? '');
  const failure = charge(chosen);
  if (failure === undefined) return { invoice: markPaid(account, invoice), failure };
  const attempts = invoice.attempt_count + 1;
  const days = retryDays[attempts - 1];
  const next = days === undefined ? null : timeOf(account, invoice.test_clock) + days * daySec;
  const failed = updateInvoice(
    account,
    invoice,
    { attempted: true, attempt_count: attempts, next_payment_attempt: next },
    'invoice.payment_failed',
  );
  afterFailure(account, failed);
  return { invoice: failed, failure };
}

/** An invoice that is paid, by card or (`outOfBand`) by other means; a subscription behind on payment is active again. */
export function markPaid(account: Account, invoice: Invoice, outOfBand = false): Invoice {
  const now = timeOf(account, invoice.test_clock);
  const charged = invoice.amount_due > 0 && !outOfBand;
  const paid = updateInvoice(
    account,
    invoice,
    {
      status: 'paid',
      amount_paid: outOfBand ? 0 : invoice.amount_due,
      amount_paid_off_stripe: outOfBand ? invoice.amount_due : 0,
      amount_remaining: 0,
      attempted: true,
      attempt_count: invoice.attempt_count + (charged ? 1 : 0),
      auto_advance: false,
      next_payment_attempt: null,
      status_transitions: { ...invoice.status_transitions, paid_at: now },
    },
    'invoice.paid',
  );
  account.emit('invoice.payment_succeeded', paid);
  revive(account, paid);
  return paid;
}

/** An invoice sent by mail that is past its due date: its subscription is past due. */
export function markOverdue(account: Account, invoice: Invoice): void {
  account.objects.put('invoice', { ...invoice, auto_advance: false });
  account.emit('invoice.overdue', invoice);
  const subscription = subscriptionOf(account, invoice);
  if (subscription?.status === 'active') updateSubscription(account, subscription, { status: 'past_due' });
}

/** True for a subscription that waits for money. */
function isBehind(status: string): boolean {
  return status === 'past_due' || status === 'unpaid' || status === 'incomplete';
}

function revive(account: Account, paid: Invoice): void {
  const subscription = subscriptionOf(account, paid);
  if (!subscription || !isBehind(subscription.status)) return;
  const stillOpen = account.objects
    .all('invoice', { fields: { customer: subscription.customer, status: 'open' } })
    .some((invoice) => subscriptionOf(account, invoice)?.id === subscription.id && invoice.attempted);
  if (!stillOpen) updateSubscription(account, subscription, { status: 'active' });
}

function afterFailure(account: Account, invoice: Invoice): void {
  const subscription = subscriptionOf(account, invoice);
  if (!subscription) return;
  if (subscription.status === 'active') {
    updateSubscription(account, subscription, { status: 'past_due' });
    return;
  }
  if (subscription.status !== 'past_due' || invoice.next_payment_attempt !== null) return;
  updateInvoice(account, invoice, notAdvancing(invoice));
  const { afterLastRetry } = account.faults.get();
  if (afterLastRetry === 'unpaid') updateSubscription(account, subscription, { status: 'unpaid' });
  if (afterLastRetry === 'cancel') {
    endSubscription(account, subscription, { billUsage: false, reason: 'payment_failed' });
  }
}
