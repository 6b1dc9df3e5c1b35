/** Drafts of invoices: made, written, and filled once more with usage before they become final. */

import assert from 'node:assert';
import type { Account } from '../account.js';
import { type Invoice, invoiceDocument } from './invoice-document.js';
import { pendingLines, settlePending } from './invoice-item.js';
import { type InvoiceLine, usageLines } from './invoice-line.js';
import { previousAttributes } from './previous-attributes.js';
import type { Subscription } from './subscription.js';
import { timeOf } from './timeline.js';

/** What a new draft is about. */
export interface DraftFacts {
  customer: string;
  subscription: Subscription | undefined;
  reason: NonNullable<Invoice['billing_reason']>;
  lines: InvoiceLine[];
  currency: string;
  period: { startSec: number; endSec: number };
  /** False: it stays a draft until somebody makes it final. */
  autoAdvance?: boolean;
}

/** Makes a draft, takes the customer's pending items onto it and tells with `invoice.created`. */
export function createDraft(account: Account, facts: DraftFacts): Invoice {
  const customer = account.objects.get('customer', facts.customer);
  assert(customer, 'a subscription has a customer');
  const id = account.newId('in');
  const pending = pendingLines(account, facts);
  const draft = invoiceDocument({
    id,
    customer,
    subscription: facts.subscription,
    reason: facts.reason,
    createdSec: timeOf(account, customer.test_clock),
    periodStartSec: facts.period.startSec,
    periodEndSec: facts.period.endSec,
    lines: [...facts.lines, ...pending],
    currency: facts.currency,
  });
  const advancing = facts.autoAdvance === false ? notAdvancing(draft) : draft;
  account.objects.put('invoice', advancing);
  settlePending(account, pending, id);
  account.emit('invoice.created', advancing);
  return advancing;
}

/** The invoice as it is when nothing happens to it by itself. */
export function notAdvancing(invoice: Invoice): Invoice {
  return { ...invoice, auto_advance: false, automatically_finalizes_at: null, next_payment_attempt: null };
}

/** Changes fields of an invoice and tells with `event`; `invoice.updated` says what was before. */
export function updateInvoice(
  account: Account,
  invoice: Invoice,
  change: Partial<Invoice>,
  event?: string,
): Invoice {
  const updated = { ...invoice, ...change };
  const previous = previousAttributes(invoice, updated);
  if (previous === undefined) return invoice;
  account.objects.put('invoice', updated);
  if (event === 'invoice.updated') account.emit(event, updated, previous);
  else if (event !== undefined) account.emit(event, updated);
  return updated;
}

/** The subscription an invoice belongs to. */
export function subscriptionOf(account: Account, invoice: Invoice): Subscription | undefined {
  const id = invoice.parent?.subscription_details?.subscription;
  return id ? account.objects.get('subscription', id) : undefined;
}

/**
 * The lines of a draft with its usage read again: what was received since the draft was made is on it, as long as it was used
 * inside the closed period. Stripe: stripe-facts 8.
 */
export function refreshedLines(account: Account, invoice: Invoice): InvoiceLine[] {
  const subscription = subscriptionOf(account, invoice);
  if (!subscription) return invoice.lines.data;
  const done = new Set<string>();
  return invoice.lines.data.flatMap((line) => {
    const priceId = line.pricing?.price_details?.price;
    const price = priceId ? account.objects.get('price', priceId) : undefined;
    const itemId = line.parent?.subscription_item_details?.subscription_item;
    if (!itemId || price?.recurring?.usage_type !== 'metered') return [line];
    const group = groupOf(line);
    if (done.has(group)) return [];
    done.add(group);
    const item = { id: itemId, metadata: line.metadata, price };
    const period = { startSec: line.period.start, endSec: line.period.end };
    const former = invoice.lines.data.filter((other) => groupOf(other) === group);
    return usageLines(account, subscription, item, period).map((fresh, index) => ({
      ...fresh,
      id: former[index]?.id ?? fresh.id,
    }));
  });
}

/** Lines of one item for one period under one price belong together: they are its tiers. */
function groupOf(line: InvoiceLine): string {
  const item = line.parent?.subscription_item_details?.subscription_item;
  return [item, line.pricing?.price_details?.price, line.period.start, line.period.end].join(' ');
}
