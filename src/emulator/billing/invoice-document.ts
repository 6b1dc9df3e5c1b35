/** A draft invoice with every field it has today (API 2026-10-28.endive). */

import type { Stored } from '../object-kinds.js';
import type { InvoiceLine } from './invoice-line.js';

/** A stored invoice. */
export type Invoice = Stored<'invoice'>;

/** What an invoice is made of. */
export interface InvoiceFacts {
  id: string;
  customer: Stored<'customer'>;
  /** The subscription it belongs to; undefined for an invoice of single items. */
  subscription: Stored<'subscription'> | undefined;
  reason: NonNullable<Invoice['billing_reason']>;
  createdSec: number;
  periodStartSec: number;
  periodEndSec: number;
  lines: InvoiceLine[];
  currency: string;
}

/** Seconds a draft waits before it is final; usage that arrives meanwhile is on it. Stripe: stripe-facts 8. */
export const draftSec = 3600;

/** What is the same on every new draft. */
const blank = {
  object: 'invoice',
  account_country: 'US',
  account_name: 'Embedded Stripe',
  account_tax_ids: null,
  amount_due: 0,
  amount_overpaid: 0,
  amount_paid: 0,
  amount_remaining: 0,
  amount_shipping: 0,
  application: null,
  attempt_count: 0,
  attempted: false,
  auto_advance: true,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
  custom_fields: null,
  customer_account: null,
  customer_shipping: null,
  customer_tax_exempt: 'none',
  customer_tax_ids: [],
  default_source: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  due_date: null,
  effective_at: null,
  ending_balance: null,
  footer: null,
  from_invoice: null,
  hosted_invoice_url: null,
  invoice_pdf: null,
  issuer: { type: 'self' },
  last_finalization_error: null,
  latest_revision: null,
  livemode: false,
  metadata: {},
  number: null,
  on_behalf_of: null,
  payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
  post_payment_credit_notes_amount: 0,
  pre_payment_credit_notes_amount: 0,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  statement_descriptor: null,
  status: 'draft',
  status_transitions: {
    finalized_at: null,
    marked_uncollectible_at: null,
    paid_at: null,
    voided_at: null,
  },
  subtotal: 0,
  subtotal_excluding_tax: 0,
  total: 0,
  total_discount_amounts: [],
  total_excluding_tax: 0,
  total_pretax_credit_amounts: [],
  total_taxes: [],
  webhooks_delivered_at: null,
} satisfies Partial<Invoice>;

/** The draft. `auto_advance`: it becomes final by itself after an hour. */
export function invoiceDocument(facts: InvoiceFacts): Invoice {
  const { customer, subscription, lines } = facts;
  const collection = subscription?.collection_method ?? 'charge_automatically';
  const finalizesAt = facts.createdSec + draftSec;
  const invoice: Invoice = {
    ...blank,
    id: facts.id,
    automatically_finalizes_at: finalizesAt,
    billing_reason: facts.reason,
    collection_method: collection,
    created: facts.createdSec,
    currency: facts.currency,
    customer: customer.id,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    default_payment_method: subscription?.default_payment_method ?? null,
    lines: { object: 'list', data: [], has_more: false, url: `/v1/invoices/${facts.id}/lines` },
    next_payment_attempt: collection === 'charge_automatically' ? finalizesAt : null,
    parent: parentOf(subscription),
    period_end: facts.periodEndSec,
    period_start: facts.periodStartSec,
    starting_balance: customer.balance,
    test_clock: customer.test_clock ?? null,
  };
  return withLines(invoice, lines);
}

/** The invoice with these lines and the amounts that follow from them. */
export function withLines(invoice: Invoice, lines: InvoiceLine[]): Invoice {
  const total = lines.reduce((sum, line) => sum + line.amount, 0);
  const { amountDue } = settleBalance(invoice.currency, total, invoice.starting_balance);
  return {
    ...invoice,
    lines: { ...invoice.lines, data: lines.map((line) => ({ ...line, invoice: invoice.id })) },
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
    amount_due: amountDue,
    amount_remaining: amountDue - invoice.amount_paid,
  };
}

/** Smallest amounts that can be charged, in minor units (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts). */
const minimumCharges: Record<string, number> = {
  aed: 200,
  aud: 50,
  brl: 50,
  cad: 50,
  chf: 50,
  czk: 1500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  hkd: 400,
  huf: 17_500,
  inr: 50,
  jpy: 50,
  mxn: 1000,
  myr: 200,
  nok: 300,
  nzd: 50,
  pln: 200,
  ron: 200,
  sek: 300,
  sgd: 50,
  thb: 1000,
  usd: 50,
};

/**
 * What is due for a total when the customer's balance is settled with it (a debt is positive, a credit negative), and the balance
 * afterwards. What is below the smallest charge is not due yet: it stays on the balance. Stripe: stripe-facts 4.
 */
export function settleBalance(
  currency: string,
  totalMinor: number,
  balanceMinor: number,
): { amountDue: number; balanceAfter: number } {
  const due = totalMinor + balanceMinor;
  const minimum = minimumCharges[currency] ?? 0;
  return due < minimum || due <= 0
    ? { amountDue: 0, balanceAfter: due }
    : { amountDue: due, balanceAfter: 0 };
}

function parentOf(subscription: Stored<'subscription'> | undefined): Invoice['parent'] {
  if (!subscription) return null;
  return {
    quote_details: null,
    subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
    type: 'subscription_details',
  };
}
