/** Records usage that the operator reports, outside of a paid call. */

import type { Customer } from '../domain/customer.js';
import { MeterctlError } from '../domain/error.js';
import type { CustomerStore, UsageStore } from '../domain/store.js';
import { type RecordedUsage, usageUnitsMax } from '../domain/usage.js';
import type { Host } from '../lib/host.js';
import { rfc3339 } from '../lib/rfc3339.js';
import { ageMaxMs, invoiceIsFinal, isBillable } from './billable.js';
import { usageRow } from './usage-row.js';

/** What the operator reports. */
export interface UsageReported {
  customerId: string;
  /** Above zero; below zero in a correction. */
  units: number;
  /** Whether this takes something off what was recorded before. */
  correct?: boolean | undefined;
  atMs: number;
  idempotencyKey?: string | undefined;
}

/** Stripe takes events up to five minutes ahead; clocks of two machines differ by less. */
const aheadMaxMs = 5 * 60_000;

/** How reports name usage that no call made. */
const recordedRoute = 'usage record';

/**
 * Records once; what was recorded under its key before is a repeat, whatever became of its time. Throws `not_found` for an
 * unknown customer, `invalid` for what Stripe could never bill, and `conflict` for a correction of what Stripe has billed for
 * good.
 */
export async function recordUsageOnce(
  deps: { store: CustomerStore & UsageStore; host: Host; settings: { meter: string; windowMs: number } },
  reported: UsageReported,
): Promise<RecordedUsage> {
  const nowMs = deps.host.clock.nowMs();
  checkUnits(reported);
  const customer = await deps.store.findCustomer(reported.customerId);
  const untimely = untimelyAt(reported, nowMs);
  if (!customer) {
    throw untimely ?? new MeterctlError('not_found', `There is no customer ${reported.customerId} here.`);
  }
  const refusal = untimely ?? unbillableAt(reported, customer, nowMs);
  // Told that it cannot be billed, somebody would bill by hand what was recorded in time.
  if (refusal && !(await isRepeat(deps.store, customer.no, reported))) throw refusal;
  const use = { customer, keyNo: null, route: recordedRoute, ...reported };
  const [recorded] = await deps.store.recordUsage([usageRow(use, deps.settings)], nowMs);
  if (!recorded) throw new MeterctlError('internal', 'The ledger gave no answer.');
  return recorded;
}

/** Why Stripe would bill nobody's usage of that time; `undefined` when it would. */
function untimelyAt({ atMs, correct }: UsageReported, nowMs: number): MeterctlError | undefined {
  if (atMs <= nowMs + aheadMaxMs && (correct || atMs >= nowMs - ageMaxMs)) return undefined;
  return new MeterctlError('invalid', `Stripe cannot bill usage of ${rfc3339(atMs)}.`, {
    hint: 'The time of use may be at most 35 days past and 5 minutes ahead.',
  });
}

/** Why Stripe would take nothing off this customer's usage of that time; `undefined` when it would. */
function unbillableAt(
  { units, atMs, correct }: UsageReported,
  customer: Customer,
  nowMs: number,
): MeterctlError | undefined {
  return correct && !isBillable(customer, atMs, nowMs) ? invoiceIsFinal(units, atMs) : undefined;
}

async function isRepeat(store: UsageStore, customerNo: number, reported: UsageReported): Promise<boolean> {
  const { idempotencyKey } = reported;
  if (idempotencyKey === undefined) return false;
  return (await store.findUsageUnder(customerNo, idempotencyKey)) !== undefined;
}

function checkUnits({ units, correct }: UsageReported): void {
  const isWithin = Number.isInteger(units) && Math.abs(units) <= usageUnitsMax;
  if (isWithin && (correct ? units < 0 : units > 0)) return;
  throw new MeterctlError(
    'invalid',
    `Units must be a whole number ${correct ? 'below' : 'above'} zero, of at most 15 digits.`,
    {
      hint: correct
        ? 'A correction takes units off what was recorded: --correct --units -5.'
        : 'Units are taken off what was recorded with --correct.',
    },
  );
}
