/** Lets a call in, or says why not: access, then limits. Whoever answers the refusal need not know of either. */

import type { AccessRefusal } from '../access/access.js';
import type { AdmissionControl, AdmissionRequest, Calling, Decision } from '../access/admission.js';
import type { LimitRefusal } from '../access/limit-refusal.js';
import type { Admission } from '../access/reservation.js';
import { MeterctlError } from '../domain/error.js';
import type { Refusal } from './problem.js';

/** What letting calls in needs. */
export interface AdmitDeps {
  admission: Pick<AdmissionControl, 'admit' | 'headers'>;
  baseUrl(): string;
}

/** Admits the call: a value when memory has all counts, a promise otherwise. Whoever admits a call must release it. */
export function admitCall(
  deps: AdmitDeps,
  request: AdmissionRequest,
): Admission | Refusal | Promise<Admission | Refusal> {
  const decision = deps.admission.admit(request);
  if (!(decision instanceof Promise)) return told(deps, decision);
  return decision.then((late) => told(deps, late), uncounted);
}

function told(deps: AdmitDeps, decision: Decision): Admission | Refusal {
  return 'refused' in decision ? limitRefusal(decision, deps.baseUrl()) : decision;
}

function uncounted(error: unknown): Refusal {
  if (!(error instanceof MeterctlError)) throw error;
  return {
    refused: 'ledger_unavailable',
    detail: 'What was used so far cannot be read now. Please try again.',
  };
}

/**
 * What the answer of a call that takes nothing of its limits says of them, as names and values in turn. Nothing when that
 * cannot be read now: what was paid for is to be had all the same.
 */
export async function limitHeaders(
  admission: AdmitDeps['admission'],
  calling: Calling,
): Promise<readonly string[]> {
  try {
    return await admission.headers(calling);
  } catch (error) {
    if (!(error instanceof MeterctlError)) throw error;
    return [];
  }
}

/** The refusal of a call that a limit has no room for. */
export function limitRefusal({ refused, detail, headers }: LimitRefusal, baseUrl: string): Refusal {
  const isMoney = refused === 'spend_cap_reached' || refused === 'prepaid_exhausted';
  const more = isMoney ? { portal_url: `${baseUrl}/portal` } : {};
  return { refused, detail, more, headers: { ...headers, 'Meterctl-Units': '0' } };
}

/** The refusal for a customer who may not call. */
export function accessRefusal(refused: AccessRefusal, baseUrl: string): Refusal {
  switch (refused) {
    case 'subscription_inactive':
      return {
        refused,
        detail:
          'No subscription is active. To go on with this key, sign in at portal_url, or post it to checkout_url.',
        more: { checkout_url: `${baseUrl}/checkout`, portal_url: `${baseUrl}/portal` },
      };
    case 'payment_required':
      return { refused, detail: 'The last invoice is not paid.', more: { portal_url: `${baseUrl}/portal` } };
    case 'customer_suspended':
      return { refused, detail: 'The operator has suspended this customer.' };
  }
}

/** The refusal of a call whose usage cannot be written. */
export const unrecorded: Refusal = {
  refused: 'ledger_unavailable',
  detail: 'The call was not carried out and is not billed. Please try again.',
};
