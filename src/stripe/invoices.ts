/** Invoices: what is to come, and what of our meter stands on those that were made. */

import Stripe from 'stripe';
import type { InvoiceBilling } from '../domain/billing.js';
import type { BilledSpan, InvoicePreview } from '../domain/invoice.js';
import { createBoundedCache } from '../lib/bounded-cache.js';
import { repeatable } from './client.js';
import { asking, isMissing, translate } from './errors.js';

/** Prices that are remembered to be our meter's, or not. */
const pricesKnown = 1_000;

/** Invoices through this client. */
export function createInvoices(stripe: Stripe, meterId: string): InvoiceBilling {
  const isMetered = createMeterCheck(stripe, meterId);
  return {
    async findComingInvoice(customerId, subscriptionId) {
      try {
        return previewOf(
          await stripe.invoices.createPreview({ subscription: subscriptionId }, repeatable),
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

    listBilledSpans: (subscriptionId, sinceMs) =>
      asking('list the invoices', async () => {
        const found: BilledSpan[] = [];
        const created = { gte: Math.floor(sinceMs / 1000) };
        const invoices = stripe.invoices.list(
          { subscription: subscriptionId, created, limit: 100 },
          repeatable,
        );
        for await (const invoice of invoices) {
          for await (const line of linesOf(stripe, invoice)) {
            const span = spanOf(invoice, line);
            if (await isMetered(line)) found.push(span);
          }
        }
        return found;
      }),
  };
}

/** Stripe puts the first lines into the invoice, and says whether there are more. */
async function* linesOf(
  stripe: Stripe,
  { id, lines }: Stripe.Invoice,
): AsyncGenerator<Stripe.InvoiceLineItem> {
  if (!lines.has_more) return yield* lines.data;
  for await (const line of stripe.invoices.listLineItems(id, { limit: 100 }, repeatable)) yield line;
}

/** A line that was made of an invoice item, when a price was changed, was counted then: a draft does not count it again. */
function spanOf({ status }: Stripe.Invoice, { period, parent }: Stripe.InvoiceLineItem): BilledSpan {
  if (!Number.isFinite(period.start) || !Number.isFinite(period.end))
    throw new TypeError('A line of an invoice has no beginning or no end.');
  const item =
    parent?.invoice_item_details?.invoice_item ?? parent?.subscription_item_details?.invoice_item ?? null;
  return {
    startMs: period.start * 1000,
    endMs: period.end * 1000,
    state: status === 'void' ? 'void' : status === 'draft' && item === null ? 'draft' : 'final',
  };
}

/** Tells lines of our meter from others by their prices, which may be any that were ever sold; a price never changes its meter. */
function createMeterCheck(
  stripe: Stripe,
  meterId: string,
): (line: Stripe.InvoiceLineItem) => Promise<boolean> {
  const known = createBoundedCache<string, boolean>(pricesKnown);

  return async ({ pricing }) => {
    const priceId = idOf(pricing?.price_details?.price);
    if (priceId === undefined) return false;
    const remembered = known.get(priceId);
    if (remembered !== undefined) return remembered;
    const price = await stripe.prices.retrieve(priceId, {}, repeatable);
    if (price.id !== priceId) throw new TypeError('This is not the price that was asked for.');
    const isOurs = price.recurring?.meter === meterId;
    known.set(priceId, isOurs);
    return isOurs;
  };
}

function idOf(price: string | Stripe.Price | undefined): string | undefined {
  return typeof price === 'object' ? price.id : price;
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
