/** Asks for coming invoices, and gives the last answer again to who asks in a loop. */

import type { InvoiceBilling } from '../domain/billing.js';
import type { CustomerStore, DeliveryStore } from '../domain/store.js';
import type { Clock } from '../lib/host.js';
import { type InvoiceReport, invoiceReport } from '../reports/invoice.js';

/** A preview is a costly POST at Stripe (stripe-facts 7). */
const previewAgeMaxMs = 1_000;

/** Reads the coming invoice of a customer; throws what `invoiceReport` throws. */
export type InvoiceReader = (customerId: string) => Promise<InvoiceReport>;

/** Makes a reader whose answers are at most a second old. */
export function createInvoiceReader(deps: {
  store: CustomerStore & DeliveryStore;
  billing: InvoiceBilling;
  clock: Clock;
}): InvoiceReader {
  const asked = new Map<string, { atMs: number; report: Promise<InvoiceReport> }>();
  return (customerId) => {
    const nowMs = deps.clock.nowMs();
    for (const [id, { atMs }] of asked) if (nowMs - atMs > previewAgeMaxMs || atMs > nowMs) asked.delete(id);
    const known = asked.get(customerId);
    if (known) return known.report;
    const report = invoiceReport(deps, customerId);
    asked.set(customerId, { atMs: nowMs, report });
    report.catch(() => asked.delete(customerId));
    return report;
  };
}
