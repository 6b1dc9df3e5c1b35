/** How a Checkout session ends: the buyer submits it, it expires, or a bank debit is confirmed or bounces. */

import type { Account } from '../account.js';
import { createCustomer } from '../catalog/customers.js';
import type { Stored } from '../object-kinds.js';
import { type CheckoutSession, termsOf, withSettlement } from './checkout-session.js';
import { collect, markPaid } from './collection.js';
import { attachPaymentMethod, charge, createPaymentMethod, detachPaymentMethod } from './payment-method.js';
import { type Subscription, updateSubscription } from './subscription.js';
import { startSubscription } from './subscription-start.js';
import type { TestPaymentMethod } from './test-payment-methods.js';
import { daySec, timeOf } from './timeline.js';

/** What the buyer gave. */
export interface Buyer {
  email: string;
  name: string | null;
  /** Undefined where the session asks for no payment method. */
  method: TestPaymentMethod | undefined;
}

/** Seconds until a bank debit is confirmed, or bounces. */
const settlementSec = 60;

/** The open session of a buyer is done: customer, payment method and subscription exist, and an event tells so. */
export function completeSession(account: Account, session: CheckoutSession, buyer: Buyer): CheckoutSession {
  const customer = customerOf(account, session, buyer);
  const method = buyer.method && createPaymentMethod(account, buyer.method, buyer);
  if (method) attachPaymentMethod(account, method, customer.id);
  const delayed = method?.type === 'us_bank_account';
  const subscription = subscribe(account, session, customer, method?.id ?? null, delayed);
  const paid = (session.amount_total ?? 0) > 0 ? 'paid' : 'no_payment_required';
  const settlesAt = delayed ? account.clock.nowSec() + settlementSec : undefined;
  const complete = account.objects.put('checkout_session', {
    ...withSettlement(session, settlesAt),
    status: 'complete',
    // A debit is only confirmed later: whoever listens has to wait for the second event (stripe-facts 5).
    payment_status: delayed ? 'unpaid' : paid,
    customer: customer.id,
    customer_details: {
      address: null,
      business_name: null,
      email: customer.email,
      individual_name: null,
      name: buyer.name,
      phone: null,
      tax_exempt: 'none',
      tax_ids: [],
    },
    invoice: subscription.latest_invoice,
    subscription: subscription.id,
    url: null,
  });
  account.emit('checkout.session.completed', complete);
  return complete;
}

/** An open session is over. */
export function expireSession(account: Account, session: CheckoutSession): CheckoutSession {
  const expired = account.objects.put('checkout_session', { ...session, status: 'expired', url: null });
  account.emit('checkout.session.expired', expired);
  return expired;
}

/** The bank has answered: the debit is good, or the payment method is of no use. */
export function settleSession(account: Account, waiting: CheckoutSession): void {
  const session = account.objects.put('checkout_session', withSettlement(waiting, undefined));
  const debit = debitOf(account, session);
  if (!debit) return;
  const { subscription, method } = debit;
  const invoice = account.objects.get('invoice', subscription.latest_invoice ?? '');
  const open = invoice?.status === 'open' ? invoice : undefined;
  if (!charge(method)) {
    if (open) markPaid(account, open);
    const status = (session.amount_total ?? 0) > 0 ? 'paid' : 'no_payment_required';
    const settled = account.objects.put('checkout_session', { ...session, payment_status: status });
    account.emit('checkout.session.async_payment_succeeded', settled);
    return;
  }
  if (open) collect(account, open, method);
  detachPaymentMethod(account, method);
  const current = account.objects.get('subscription', subscription.id) ?? subscription;
  updateSubscription(account, current, { default_payment_method: null });
  account.emit('checkout.session.async_payment_failed', session);
}

function debitOf(account: Account, session: CheckoutSession) {
  const subscription = account.objects.get('subscription', session.subscription ?? '');
  const method = account.objects.get('payment_method', subscription?.default_payment_method ?? '');
  return subscription && method?.type === 'us_bank_account' ? { subscription, method } : undefined;
}

function customerOf(account: Account, session: CheckoutSession, buyer: Buyer): Stored<'customer'> {
  const given = session.customer ? account.objects.get('customer', session.customer) : undefined;
  return (
    given ?? createCustomer(account, { email: buyer.email, ...(buyer.name ? { name: buyer.name } : {}) })
  );
}

function subscribe(
  account: Account,
  session: CheckoutSession,
  customer: Stored<'customer'>,
  method: string | null,
  delayed: boolean,
): Subscription {
  const terms = termsOf(session);
  const now = timeOf(account, customer.test_clock);
  const trialDays = terms.trial_period_days;
  const subscription = startSubscription(account, {
    customer,
    items: (session.line_items?.data ?? []).flatMap(({ price, quantity }) =>
      price ? [{ price, quantity: quantity ?? undefined, metadata: {} }] : [],
    ),
    collectionMethod: 'charge_automatically',
    daysUntilDue: null,
    defaultPaymentMethod: method,
    description: terms.description ?? null,
    metadata: terms.metadata ?? {},
    trialEndSec: trialDays === undefined ? (terms.trial_end ?? null) : now + trialDays * daySec,
    trialWithoutMethod: terms.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
    backdateSec: undefined,
    anchorSec: terms.billing_cycle_anchor,
    cancelAtSec: null,
    cancelAtPeriodEnd: false,
    payment: delayed ? 'default_incomplete' : 'allow_incomplete',
  });
  // While a debit is on its way the subscription counts as active; a bounce makes it past due.
  const waits = delayed && subscription.status === 'incomplete';
  return waits ? updateSubscription(account, subscription, { status: 'active' }) : subscription;
}
