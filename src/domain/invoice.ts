/** The coming invoice, as Stripe computes it. */

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
