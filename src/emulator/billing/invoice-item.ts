/** Pending invoice items: amounts that wait for the customer's next invoice. */

import type { Account } from '../account.js';
import type { Stored } from '../object-kinds.js';
import type { InvoiceLine } from './invoice-line.js';
import type { Subscription } from './subscription.js';

/** A stored invoice item. */
export type InvoiceItem = Stored<'invoice_item'>;

/** Keeps lines for the subscription's next invoice. */
export function keepPending(
  account: Account,
  subscription: Subscription,
  lines: InvoiceLine[],
  dateSec: number,
) {
  for (const line of lines) {
    const itemId = line.parent?.subscription_item_details?.subscription_item;
    const item = account.objects.put('invoice_item', {
      id: account.newId('ii'),
      object: 'invoiceitem',
      amount: line.amount,
      currency: line.currency,
      customer: subscription.customer,
      customer_account: null,
      date: dateSec,
      description: line.description,
      discountable: true,
      discounts: [],
      invoice: null,
      livemode: false,
      metadata: line.metadata,
      net_amount: line.amount,
      parent: {
        subscription_details: {
          subscription: subscription.id,
          ...(itemId ? { subscription_item: itemId } : {}),
        },
        type: 'subscription_details',
      },
      period: line.period,
      pricing: line.pricing,
      proration: line.parent?.subscription_item_details?.proration ?? false,
      quantity: line.quantity ?? 1,
      quantity_decimal: line.quantity_decimal ?? '1',
      tax_rates: [],
      test_clock: subscription.test_clock,
    });
    account.emit('invoiceitem.created', item);
  }
}

/** The pending items that go onto an invoice, as lines: the subscription's own, and those that belong to none. */
export function pendingLines(
  account: Account,
  invoice: { customer: string; subscription: Subscription | undefined; currency: string },
): InvoiceLine[] {
  return account.objects
    .all('invoice_item', { fields: { customer: invoice.customer, currency: invoice.currency } })
    .filter((item) => {
      const owner = item.parent?.subscription_details?.subscription;
      return item.invoice === null && (owner === undefined || owner === invoice.subscription?.id);
    })
    .map((item) => pendingLine(account, item));
}

/** Notes on which invoice the items of these lines now are. */
export function settlePending(account: Account, lines: InvoiceLine[], invoice: string): void {
  for (const line of lines) {
    const item = account.objects.get('invoice_item', line.parent?.invoice_item_details?.invoice_item ?? '');
    if (item) account.objects.put('invoice_item', { ...item, invoice });
  }
}

function pendingLine(account: Account, item: InvoiceItem): InvoiceLine {
  const subscription = item.parent?.subscription_details?.subscription ?? null;
  return {
    id: account.newId('il'),
    object: 'line_item',
    amount: item.amount,
    currency: item.currency,
    description: item.description,
    discount_amounts: [],
    discountable: item.discountable,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: item.metadata ?? {},
    parent: {
      invoice_item_details: {
        invoice_item: item.id,
        proration: item.proration,
        proration_details: { credited_items: null },
        subscription,
      },
      subscription_item_details: null,
      type: 'invoice_item_details',
    },
    period: item.period,
    pretax_credit_amounts: [],
    pricing: item.pricing,
    quantity: item.quantity,
    quantity_decimal: item.quantity_decimal,
    subscription,
    subtotal: item.amount,
    taxes: [],
  };
}
