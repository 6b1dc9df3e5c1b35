/** Takes back usage that should not be billed; the ledger keeps both rows. */

import type { Actor } from '../domain/audit.js';
import { MeterctlError } from '../domain/error.js';
import type { CustomerStore, UsageStore } from '../domain/store.js';
import type { VoidedUsage } from '../domain/usage.js';
import type { Host } from '../lib/host.js';
import { invoiceIsFinal, isBillable } from './billable.js';

/** Stripe cancels an event within 24 hours of receiving it (stripe-facts 3b); an hour is kept for the way there. */
const cancellableMs = 23 * 3_600_000;

/**
 * Takes one row back, once; the same again is a repeat. Throws `not_found` for an unknown row, `conflict` for one that takes
 * usage back itself, or when Stripe has billed it for good.
 */
export async function voidUsage(
  deps: { store: CustomerStore & UsageStore; host: Host },
  { actor, ...order }: { usageId: number; reason: string; actor: Actor },
): Promise<VoidedUsage> {
  const { store, host } = deps;
  const nowMs = host.clock.nowMs();
  const row = await store.findUsage(order.usageId);
  const customer = row && (await store.findCustomer(row.customerId));
  if (!row || !customer) {
    throw new MeterctlError('not_found', `There is no usage ${order.usageId} in the ledger.`, {
      hint: 'Its number is what usage record prints.',
    });
  }
  if (row.units <= 0) {
    throw new MeterctlError(
      'conflict',
      `Usage ${row.id} is of ${row.units} units: there is nothing to take back.`,
      {
        hint: 'Record the usage again with meterctl usage record.',
      },
    );
  }
  const billable = isBillable(customer, row.atMs, nowMs);
  const voided = await store.voidUsage(
    { ...order, billable, cancellableSinceMs: nowMs - cancellableMs },
    { actor, atMs: nowMs },
  );
  if (voided === 'unbillable') throw invoiceIsFinal(row.units, row.atMs);
  return voided;
}
