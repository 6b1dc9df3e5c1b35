/** Invoices: the coming one as Stripe computes it, and what stands on those that were made. */

import type { Period } from './subscription.js';

/** One line. Amounts are in minor units. */
export interface InvoiceLine {
  description: string;
  /** Decimal string. */
  quantity: string;
  amountMinor: number;
}

/** What the customer will be billed for the running period, as far as Stripe knows now. */
export interface InvoicePreview {
  customerId: string;
  subscriptionId: string;
  currency: string;
  /** The usage period (not the invoice's own dates: stripe-facts 7). */
  period: Period;
  lines: InvoiceLine[];
  amountDueMinor: number;
}

/** A span whose usage stands on an invoice. */
export interface BilledSpan extends Period {
  /**
   * `draft`: usage of the span that Stripe gets now is still billed. `final`: it changes nothing any more. `void`: nor is what
   * stands there billed, because the invoice was taken back.
   */
  state: 'draft' | 'final' | 'void';
}
