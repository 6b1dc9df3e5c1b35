/** The coming invoice as Stripe computes it, beside what Stripe has not been told yet. */

import type { InvoiceBilling } from '../domain/billing.js';
import { MeterctlError } from '../domain/error.js';
import { majorFromMinor } from '../domain/money.js';
import type { CustomerStore, DeliveryStore } from '../domain/store.js';
import { currentSubscription } from '../domain/subscription.js';
import { rfc3339 } from '../lib/rfc3339.js';

/** The report as scripts read it: amounts are decimal strings in major units. */
export interface InvoiceReport {
  customer: string;
  currency: string;
  period: { start: string; end: string };
  lines: { description: string; quantity: number; amount: string }[];
  amount_due: string;
  /** Units of this period that Stripe does not have yet. */
  pending_units: number;
}

/** Asks Stripe. Throws `not_found` for an unknown customer, or when Stripe has no invoice to come. */
export async function invoiceReport(
  deps: { store: CustomerStore & DeliveryStore; billing: InvoiceBilling },
  customerId: string,
): Promise<InvoiceReport> {
  const customer = await deps.store.findCustomer(customerId);
  if (!customer) throw new MeterctlError('not_found', `There is no customer ${customerId} here.`);
  const subscription = currentSubscription(customer.subscriptions);
  const preview = subscription && (await deps.billing.findComingInvoice(customerId, subscription.id));
  if (!preview) {
    throw new MeterctlError('not_found', `There is no invoice to come for ${customerId}.`, {
      hint: subscription
        ? `The subscription is ${subscription.status}.`
        : 'The customer has no subscription.',
    });
  }
  const { startMs, endMs } = preview.period;
  const { currency } = preview;
  return {
    customer: customerId,
    currency,
    period: { start: rfc3339(startMs), end: rfc3339(endMs) },
    lines: preview.lines.map((line) => ({
      description: line.description,
      quantity: Number(line.quantity),
      amount: majorFromMinor(line.amountMinor, currency),
    })),
    amount_due: majorFromMinor(preview.amountDueMinor, currency),
    pending_units: await deps.store.sumUndelivered(customerId, startMs, endMs),
  };
}
