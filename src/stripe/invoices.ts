/** Reads an invoice preview. */

import type Stripe from 'stripe';
import type { InvoicePreview } from '../domain/invoice.js';

/** The preview in meterctl's words. The usage period is the lines' own: the invoice's dates are another thing (stripe-facts 7). */
export function previewOf(
  invoice: Stripe.Invoice,
  customerId: string,
  subscriptionId: string,
): InvoicePreview {
  const lines = invoice.lines.data;
  const [first] = lines;
  return {
    customerId,
    subscriptionId,
    currency: invoice.currency,
    period: {
      startMs: (first?.period.start ?? invoice.period_start) * 1000,
      endMs: (first?.period.end ?? invoice.period_end) * 1000,
    },
    lines: lines.map((line) => ({
      description: line.description ?? '',
      quantity: line.quantity_decimal?.toString() ?? String(line.quantity ?? 0),
      amountMinor: line.amount,
    })),
    amountDueMinor: invoice.amount_due,
  };
}
