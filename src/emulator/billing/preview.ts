/** The invoice to come, as `create_preview` computes it. Nothing is stored. */

import type { Account } from '../account.js';
import { ApiError } from '../api-error.js';
import { draftSec, type Invoice, invoiceDocument } from './invoice-document.js';
import { pendingLines } from './invoice-item.js';
import { type InvoiceLine, licensedLines, usageLines } from './invoice-line.js';
import { type Period, periodAt } from './period.js';
import {
  isMetered,
  periodEndOf,
  rhythmOf,
  type Subscription,
  type SubscriptionItem,
} from './subscription.js';
import { timeOf } from './timeline.js';

/** What is asked beside the subscription. */
export interface PreviewQuestion {
  /** As if it were canceled now, its usage billed. */
  cancelNow: boolean;
  /** As if it were canceled at this time; undefined for as it stands. */
  cancelAtSec: number | null | undefined;
  /** `recurring`: only what comes again each period, without pending items. */
  mode: 'next' | 'recurring';
}

/** There is no next invoice. Stripe: stripe-facts 7. */
export function noUpcoming(customer: string): ApiError {
  return new ApiError(`No upcoming invoices for customer: ${customer}`, {
    status: 404,
    code: 'invoice_upcoming_none',
  });
}

/** Previews the next invoice of a subscription. Throws `invoice_upcoming_none` when it has come to its end. */
export function previewInvoice(
  account: Account,
  subscription: Subscription,
  question: PreviewQuestion,
): Invoice {
  const customer = account.objects.get('customer', subscription.customer);
  if (!customer || !hasNextInvoice(subscription)) throw noUpcoming(subscription.customer);
  const now = timeOf(account, subscription.test_clock);
  // Ended now, as far as counting goes: usage of this very second is in (see usageIn).
  const seen = question.cancelNow ? { ...subscription, ended_at: now } : subscription;
  const { endSec, lastPeriod } = nextEnd(subscription, question, now);
  const turning = subscription.items.data.filter((item) => lastPeriod || item.current_period_end === endSec);
  const lines = turning.flatMap((item) => previewLines(account, seen, item, endSec, lastPeriod));
  const facts = {
    customer,
    subscription,
    reason: 'upcoming' as const,
    createdSec: endSec,
    periodStartSec: Math.min(...turning.map((item) => item.current_period_start)),
    periodEndSec: endSec,
    currency: subscription.currency,
  };
  const pending =
    question.mode === 'recurring' ? [] : pendingLines(account, { ...facts, customer: customer.id });
  const invoice = invoiceDocument({
    ...facts,
    id: account.newId('upcoming_in'),
    lines: [...lines, ...pending],
  });
  return {
    ...invoice,
    automatically_finalizes_at: null,
    next_payment_attempt: invoice.next_payment_attempt === null ? null : endSec + draftSec,
    lines: { ...invoice.lines, url: `/v1/invoices/upcoming/lines?subscription=${subscription.id}` },
  };
}

/** The lines of one item; a fee for a period that will not come is left out. */
function previewLines(
  account: Account,
  subscription: Subscription,
  item: SubscriptionItem,
  endSec: number,
  lastPeriod: boolean,
): InvoiceLine[] {
  if (!isMetered(item)) {
    return lastPeriod ? [] : licensedLines(account, subscription, item, nextPeriod(subscription, item));
  }
  if (subscription.status === 'trialing') return [];
  return usageLines(account, subscription, item, { startSec: item.current_period_start, endSec });
}

function nextPeriod(subscription: Subscription, item: SubscriptionItem): Period {
  const startSec = item.current_period_end;
  return { startSec, endSec: periodAt(subscription.billing_cycle_anchor, rhythmOf(item), startSec).endSec };
}

/** When the next invoice is made: at a period's end, or at the end of all. */
function nextEnd(
  subscription: Subscription,
  question: PreviewQuestion,
  now: number,
): { endSec: number; lastPeriod: boolean } {
  if (question.cancelNow) return { endSec: now, lastPeriod: true };
  const periodEnd = periodEndOf(subscription);
  const cancelAt = question.cancelAtSec === undefined ? subscription.cancel_at : question.cancelAtSec;
  return cancelAt !== null && cancelAt <= periodEnd
    ? { endSec: cancelAt, lastPeriod: true }
    : { endSec: periodEnd, lastPeriod: false };
}

function hasNextInvoice(subscription: Subscription): boolean {
  return ['active', 'trialing', 'past_due', 'unpaid'].includes(subscription.status);
}
