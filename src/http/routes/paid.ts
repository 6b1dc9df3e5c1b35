/** The paid endpoint: key, access, usage on disk, and only then the answer's head. */

import type { Request, RequestHandler, Response } from 'express';
import { type AccessRefusal, accessOf } from '../../access/access.js';
import { MeterctlError } from '../../domain/error.js';
import type { RecordedUsage } from '../../domain/usage.js';
import type { FoundKey } from '../../keys/key-lookup.js';
import type { KeyUses } from '../../keys/key-uses.js';
import type { Host } from '../../lib/host.js';
import type { LedgerWriter } from '../../metering/ledger-writer.js';
import { usageRow } from '../../metering/usage-row.js';
import { type AdmitDeps, admitCall } from '../admit.js';
import { type AuthenticateDeps, authenticate } from '../authenticate.js';
import type { Gateway } from '../gateway/gateway.js';
import { sendProblem } from '../problem.js';

/** What the paid endpoint needs. */
export interface PaidDeps extends AuthenticateDeps, AdmitDeps {
  host: Host;
  uses: KeyUses;
  ledger: LedgerWriter;
  /** The way to the API that is sold; without it `/api` answers by itself. */
  gateway: Gateway | undefined;
  /** The meter's event name. */
  meter: string;
  windowMs: number;
  pastDueGraceMs: number;
}

const answerData = '🔥'.repeat(8);

/** Answers `/api` and below. */
export function paid(deps: PaidDeps): RequestHandler {
  return async function paid(req, res) {
    const nowMs = deps.host.clock.nowMs();
    const caller = await authenticate(req, deps, nowMs);
    if ('refused' in caller) return sendProblem(res, caller.refused, caller.detail);
    const access = accessOf(caller.customer, nowMs, deps.pastDueGraceMs);
    if (!access.allowed) return refuseAccess(res, access.code, deps.baseUrl());
    deps.uses.note(caller.key.no, nowMs);
    const request = { caller, priceId: access.subscription.priceId, units: 1, atMs: nowMs };
    const admission = await admitCall(deps, res, request);
    if (!admission) return;
    if (access.warning) res.setHeader('Meterctl-Warning', access.warning);
    if (deps.gateway) return deps.gateway.forward(req, res, { caller, admission, atMs: nowMs });
    try {
      const recorded = await record(deps, req, res, caller, nowMs);
      if (!recorded) return;
      admission.settle(recorded.units);
      answer(res, recorded, admission.headers());
    } finally {
      admission.release();
    }
  };
}

/** Resolves once the usage is durable; when it cannot be, answers 503 and gives nothing. */
async function record(
  deps: PaidDeps,
  req: Request,
  res: Response,
  { key, customer }: FoundKey,
  atMs: number,
): Promise<RecordedUsage | undefined> {
  const use = { customer, keyNo: key.no, route: `${req.method} /api`, units: 1, atMs };
  try {
    return await deps.ledger.record(usageRow(use, deps));
  } catch (error) {
    // The ledger writer tells of the outage once; only a defect is told for each call.
    if (!(error instanceof MeterctlError)) throw error;
    sendProblem(
      res,
      'ledger_unavailable',
      'The call was not carried out and is not billed. Please try again.',
    );
    return undefined;
  }
}

function answer(res: Response, recorded: RecordedUsage, limits: Record<string, string>): void {
  const body = JSON.stringify({
    data: answerData,
    usage: { units: recorded.units, period_units: recorded.periodUnits },
  });
  res.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Meterctl-Units': recorded.units,
    ...limits,
  });
  res.end(body);
}

function refuseAccess(res: Response, code: AccessRefusal, baseUrl: string): void {
  const { detail, more } = {
    subscription_inactive: { detail: 'Subscribe first.', more: { checkout_url: `${baseUrl}/checkout` } },
    payment_required: { detail: 'The last invoice is not paid.', more: { portal_url: `${baseUrl}/portal` } },
    customer_suspended: { detail: 'The operator has suspended this customer.', more: {} },
  }[code];
  sendProblem(res, code, detail, more);
}
