/** Records usage that the operator reports, outside of a paid call. */

import { MeterctlError } from '../domain/error.js';
import type { CustomerStore, UsageStore } from '../domain/store.js';
import type { RecordedUsage } from '../domain/usage.js';
import type { Host } from '../lib/host.js';
import { usageRow } from './usage-row.js';

/** What the operator reports. */
export interface UsageReported {
  customerId: string;
  units: number;
  atMs: number;
  idempotencyKey?: string | undefined;
}

/** Stripe refuses older events (stripe-facts 3a). */
const ageMaxMs = 35 * 86_400_000;

/** Stripe takes events up to five minutes ahead; clocks of two machines differ by less. */
const aheadMaxMs = 5 * 60_000;

/** How reports name usage that no call made. */
const recordedRoute = 'usage record';

/** Records once. Throws `not_found` for an unknown customer and `invalid` for what Stripe could never bill. */
export async function recordUsageOnce(
  deps: { store: CustomerStore & UsageStore; host: Host; settings: { meter: string; windowMs: number } },
  reported: UsageReported,
): Promise<RecordedUsage> {
  const nowMs = deps.host.clock.nowMs();
  if (!Number.isSafeInteger(reported.units) || reported.units <= 0) {
    throw new MeterctlError('invalid', 'Units must be a whole number above zero.');
  }
  if (reported.atMs < nowMs - ageMaxMs || reported.atMs > nowMs + aheadMaxMs) {
    throw new MeterctlError(
      'invalid',
      `Stripe cannot bill usage of ${new Date(reported.atMs).toISOString()}.`,
      {
        hint: 'The time of use may be at most 35 days past and 5 minutes ahead.',
      },
    );
  }
  const customer = await deps.store.findCustomer(reported.customerId);
  if (!customer) throw new MeterctlError('not_found', `There is no customer ${reported.customerId} here.`);
  const use = { customer, keyNo: null, route: recordedRoute, ...reported };
  const [recorded] = await deps.store.recordUsage([usageRow(use, deps.settings)], nowMs);
  if (!recorded) throw new MeterctlError('internal', 'The ledger gave no answer.');
  return recorded;
}
