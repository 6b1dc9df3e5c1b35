/** Invoice previews. */

import Stripe from 'stripe';
import type { InvoiceBilling } from '../domain/billing.js';
import type { InvoicePreview } from '../domain/invoice.js';
import { repeatable } from './client.js';
import { asking, isMissing, translate } from './errors.js';

/** Invoices through this client. */
export function createInvoices(stripe: Stripe): InvoiceBilling {
  return {
    async findComingInvoice(customerId, subscriptionId) {
      try {
        return previewOf(
          await stripe.invoices.createPreview({ subscription: subscriptionId }),
          customerId,
          subscriptionId,
        );
      } catch (error) {
        if (error instanceof Stripe.errors.StripeError && error.code === 'invoice_upcoming_none')
          return undefined;
        if (isMissing(error)) return undefined;
        throw translate(error, 'compute the coming invoice');
      }
    },

    findBilledUntil: (subscriptionId, priceId) =>
      asking('list the invoices', async () => {
        const { data } = await stripe.invoices.list({ subscription: subscriptionId, limit: 10 }, repeatable);
        const ends = data
          .filter(({ status }) => status !== 'draft')
          .flatMap(({ lines }) => lines.data)
          .filter((line) => priceIdOf(line) === priceId)
          .map(({ period }) => period.end * 1000);
        if (!ends.every(Number.isFinite)) throw new TypeError('A line of an invoice has no end.');
        return ends.length === 0 ? undefined : Math.max(...ends);
      }),
  };
}

/** The preview in meterctl's words. The usage period is the lines' own: the invoice's dates are another thing (stripe-facts 7). */
function previewOf(invoice: Stripe.Invoice, customerId: string, subscriptionId: string): InvoicePreview {
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

function priceIdOf(line: Stripe.InvoiceLineItem): string | undefined {
  const price = line.pricing?.price_details?.price;
  return typeof price === 'object' ? price.id : price;
}
