/** `GET /usage/:customer`: the coming invoice and this period's units, for the customer himself or the operator. */

import type { Request, RequestHandler } from 'express';
import { billingPeriodOf } from '../../domain/customer.js';
import { MeterctlError } from '../../domain/error.js';
import type { CustomerStore, UsageStore } from '../../domain/store.js';
import type { Host } from '../../lib/host.js';
import { isAdminToken } from '../admin-token.js';
import { type AuthenticateDeps, authenticate } from '../authenticate.js';
import type { InvoiceReader } from '../invoice-reader.js';
import { presentedKey } from '../presented-key.js';
import { type Refusal, sendProblem } from '../problem.js';

/** What the usage route needs. */
export interface UsageDeps extends AuthenticateDeps {
  store: CustomerStore & UsageStore;
  invoiceOf: InvoiceReader;
  host: Host;
  meter: string;
  adminToken: string | null;
}

/** Answers what `invoice --json` says, and the units of the period as they stand in the ledger. */
export function usage(deps: UsageDeps): RequestHandler<{ customer: string }> {
  return async function usage(req, res) {
    const refusal = await refusalOf(req, deps);
    if (refusal) return sendProblem(res, refusal.refused, refusal.detail);
    const customer = await deps.store.findCustomer(req.params.customer);
    if (!customer) throw new MeterctlError('not_found', `There is no customer ${req.params.customer} here.`);
    const period = billingPeriodOf(customer, deps.host.clock.nowMs());
    const periodUnits = await deps.store.findPeriodUnits(customer.no, deps.meter, period?.startMs ?? 0);
    res.set('Cache-Control', 'no-store');
    res.json({ ...(await deps.invoiceOf(customer.id)), period_units: periodUnits });
  };
}

async function refusalOf(req: Request<{ customer: string }>, deps: UsageDeps): Promise<Refusal | undefined> {
  const presented = presentedKey(req, deps.queryParameter);
  if (isAdminToken(presented, deps.adminToken)) return undefined;
  const caller = await authenticate(req, deps, deps.host.clock.nowMs());
  if ('refused' in caller) return caller;
  if (caller.customer.id === req.params.customer) return undefined;
  return { refused: 'forbidden', detail: 'This key belongs to another customer.' };
}
