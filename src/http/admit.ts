/** Lets a call through the limits, or answers why not. */

import type { Response } from 'express';
import type { Admission, AdmissionControl, AdmissionRequest } from '../access/admission.js';
import type { LimitRefusal } from '../access/limit-refusal.js';
import { MeterctlError } from '../domain/error.js';
import { sendProblem } from './problem.js';

/** What letting calls in needs. */
export interface AdmitDeps {
  admission: Pick<AdmissionControl, 'admit'>;
  baseUrl(): string;
}

/** Admits the call; without a result it is answered. Whoever admits a call must release it. */
export async function admitCall(
  deps: AdmitDeps,
  res: Response,
  request: AdmissionRequest,
): Promise<Admission | undefined> {
  try {
    const decision = await deps.admission.admit(request);
    if (!('refused' in decision)) return decision;
    refuse(deps, res, decision);
  } catch (error) {
    if (!(error instanceof MeterctlError)) throw error;
    sendProblem(res, 'ledger_unavailable', 'What was used so far cannot be read now. Please try again.');
  }
  return undefined;
}

function refuse(deps: AdmitDeps, res: Response, { refused, detail, headers }: LimitRefusal): void {
  res.set({ ...headers, 'Meterctl-Units': '0' });
  const isMoney = refused === 'spend_cap_reached' || refused === 'prepaid_exhausted';
  sendProblem(res, refused, detail, isMoney ? { portal_url: `${deps.baseUrl()}/portal` } : {});
}
