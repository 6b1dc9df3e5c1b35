/** `GET /usage/:customer`: the coming invoice and this period's units, for the customer himself or the operator. */

import { timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import type { InvoiceBilling } from '../../domain/billing.js';
import { MeterctlError } from '../../domain/error.js';
import type { CustomerStore, DeliveryStore, UsageStore } from '../../domain/store.js';
import { hashSecret } from '../../keys/secret.js';
import type { Host } from '../../lib/host.js';
import { billingPeriodOf } from '../../metering/usage-row.js';
import { type InvoiceReport, invoiceReport } from '../../reports/invoice.js';
import { type AuthenticateDeps, authenticate, type Refusal } from '../authenticate.js';
import { presentedKey } from '../presented-key.js';
import { sendProblem } from '../problem.js';

/** What the usage route needs. */
export interface UsageDeps extends AuthenticateDeps {
  store: CustomerStore & DeliveryStore & UsageStore;
  billing: InvoiceBilling;
  host: Host;
  meter: string;
  adminToken: string | null;
}

/** A preview is a costly POST at Stripe (stripe-facts 7), so a customer who asks in a loop gets the last answer. */
const previewAgeMaxMs = 1_000;

/** Answers what `invoice --json` says, and the units of the period as they stand in the ledger. */
export function usage(deps: UsageDeps): RequestHandler<{ customer: string }> {
  const invoiceOf = rememberBriefly(deps.host, (id) => invoiceReport(deps, id));
  return async function usage(req, res) {
    const refusal = await refusalOf(req, deps);
    if (refusal) return sendProblem(res, refusal.refused, refusal.detail);
    const customer = await deps.store.findCustomer(req.params.customer);
    if (!customer) throw new MeterctlError('not_found', `There is no customer ${req.params.customer} here.`);
    const period = billingPeriodOf(customer, deps.host.clock.nowMs());
    const periodUnits = await deps.store.findPeriodUnits(customer.no, deps.meter, period?.startMs ?? 0);
    res.set('Cache-Control', 'no-store');
    res.json({ ...(await invoiceOf(customer.id)), period_units: periodUnits });
  };
}

async function refusalOf(req: Request<{ customer: string }>, deps: UsageDeps): Promise<Refusal | undefined> {
  const presented = presentedKey(req, deps.queryParameter);
  // Hashes are of one length, and comparing them tells nothing of the token.
  if (
    presented !== undefined &&
    deps.adminToken !== null &&
    timingSafeEqual(hashSecret(presented), hashSecret(deps.adminToken))
  ) {
    return undefined;
  }
  const caller = await authenticate(req, deps, deps.host.clock.nowMs());
  if ('refused' in caller) return caller;
  if (caller.customer.id === req.params.customer) return undefined;
  return { refused: 'forbidden', detail: 'This key belongs to another customer.' };
}

function rememberBriefly(host: Host, ask: (customerId: string) => Promise<InvoiceReport>) {
  const asked = new Map<string, { atMs: number; report: Promise<InvoiceReport> }>();
  return (customerId: string): Promise<InvoiceReport> => {
    const nowMs = host.clock.nowMs();
    for (const [id, { atMs }] of asked) if (nowMs - atMs > previewAgeMaxMs || atMs > nowMs) asked.delete(id);
    const known = asked.get(customerId);
    if (known) return known.report;
    const report = ask(customerId);
    asked.set(customerId, { atMs: nowMs, report });
    report.catch(() => asked.delete(customerId));
    return report;
  };
}
