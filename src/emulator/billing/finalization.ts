/** How a draft becomes final: usage is read once more, the balance settled, a number given, payment asked for. */

import type { Account } from '../account.js';
import { ApiError } from '../api-error.js';
import { updateObject } from '../update-object.js';
import { type Attempt, collect, markPaid } from './collection.js';
import { refreshedLines, subscriptionOf, updateInvoice } from './invoice.js';
import { type Invoice, settleBalance, withLines } from './invoice-document.js';
import type { Subscription } from './subscription.js';
import { daySec, timeOf } from './timeline.js';

/** Days a customer has to pay an invoice that is sent, where the subscription does not say. */
const daysUntilDueDefault = 30;

/** Makes a draft final, without asking for payment. Throws Stripe's error when it is no draft. */
export function finalize(account: Account, draft: Invoice): Invoice {
  if (draft.status !== 'draft') {
    throw new ApiError('This invoice is already finalized, you can’t re-finalize a non-draft invoice.', {
      code: 'invoice_not_editable',
    });
  }
  const subscription = subscriptionOf(account, draft);
  const now = timeOf(account, draft.test_clock);
  const { customer, number, startingBalance, endingBalance } = billCustomer(account, draft);
  const dueDays = subscription?.days_until_due ?? daysUntilDueDefault;
  return updateInvoice(
    account,
    draft,
    {
      ...withLines({ ...draft, starting_balance: startingBalance }, refreshedLines(account, draft)),
      status: 'open',
      number,
      starting_balance: startingBalance,
      ending_balance: endingBalance,
      automatically_finalizes_at: null,
      default_payment_method: subscription?.default_payment_method ?? null,
      due_date: draft.collection_method === 'send_invoice' ? now + dueDays * daySec : null,
      effective_at: now,
      hosted_invoice_url: `${account.baseUrl()}/i/${draft.id}`,
      customer_email: customer?.email ?? draft.customer_email,
      status_transitions: { ...draft.status_transitions, finalized_at: now },
    },
    'invoice.finalized',
  );
}

/** Makes a draft final and goes on: nothing due is paid, a card is charged, a mail is sent. */
export function finalizeAndCollect(account: Account, draft: Invoice): Attempt {
  const invoice = finalize(account, draft);
  const paused = subscriptionOf(account, invoice)?.pause_collection?.behavior;
  if (paused === 'void') return { invoice: voidInvoice(account, invoice), failure: undefined };
  if (paused === 'mark_uncollectible') {
    return { invoice: markUncollectible(account, invoice), failure: undefined };
  }
  if (invoice.amount_due === 0) return { invoice: markPaid(account, invoice), failure: undefined };
  if (invoice.collection_method === 'charge_automatically') return collect(account, invoice);
  account.emit('invoice.sent', invoice);
  return { invoice, failure: undefined };
}

/** Takes an open invoice back. Throws Stripe's error for any other. */
export function voidInvoice(account: Account, invoice: Invoice): Invoice {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw new ApiError('You can only void an invoice that is open or uncollectible.', {
      code: 'status_transition_invalid',
    });
  }
  const now = timeOf(account, invoice.test_clock);
  return updateInvoice(
    account,
    invoice,
    {
      status: 'void',
      auto_advance: false,
      next_payment_attempt: null,
      status_transitions: { ...invoice.status_transitions, voided_at: now },
    },
    'invoice.voided',
  );
}

/** Gives an open invoice up. Throws Stripe's error for any other. */
export function markUncollectible(account: Account, invoice: Invoice): Invoice {
  if (invoice.status !== 'open') {
    throw new ApiError('You can only mark an open invoice as uncollectible.', {
      code: 'status_transition_invalid',
    });
  }
  const now = timeOf(account, invoice.test_clock);
  return updateInvoice(
    account,
    invoice,
    {
      status: 'uncollectible',
      auto_advance: false,
      next_payment_attempt: null,
      status_transitions: { ...invoice.status_transitions, marked_uncollectible_at: now },
    },
    'invoice.marked_uncollectible',
  );
}

/** True while nothing is collected for the subscription and drafts are kept. */
export function keepsDrafts(subscription: Subscription): boolean {
  return subscription.pause_collection?.behavior === 'keep_as_draft';
}

/** Settles the customer's balance with the draft and takes the next number of his. */
function billCustomer(account: Account, draft: Invoice) {
  const customer = account.objects.get('customer', draft.customer ?? '');
  const startingBalance = customer?.balance ?? 0;
  const total = withLines(draft, refreshedLines(account, draft)).total;
  const { balanceAfter: endingBalance } = settleBalance(draft.currency, total, startingBalance);
  const sequence = customer?.next_invoice_sequence ?? 1;
  const prefix = customer?.invoice_prefix ?? draft.id.slice(-8).toUpperCase();
  const number = `${prefix}-${String(sequence).padStart(4, '0')}`;
  if (customer) {
    const billed = { ...customer, balance: endingBalance, next_invoice_sequence: sequence + 1 };
    updateObject(account, 'customer', customer, billed, 'customer.updated');
  }
  return { customer, number, startingBalance, endingBalance };
}
