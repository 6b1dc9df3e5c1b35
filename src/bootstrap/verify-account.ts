/** Makes sure that the key belongs to the account that this database was made for, before any usage is sent. */

import type { CatalogBilling } from '../domain/billing.js';
import { MeterctlError } from '../domain/error.js';
import type { IdentityStore } from '../domain/store.js';

/**
 * Throws `conflict` when Stripe shows another account than the database is bound to, or an account without our meter.
 * Throws `unavailable` or `unauthorized` when Stripe cannot be asked.
 */
export async function verifyAccount(
  deps: { store: IdentityStore; billing: CatalogBilling },
  meterId: string,
): Promise<void> {
  const accountId = await deps.billing.findAccountId();
  const boundTo = accountId === undefined ? undefined : await deps.store.bindAccount(accountId);
  if (boundTo !== accountId) {
    throw new MeterctlError('conflict', `The key belongs to ${accountId}, but this database belongs to ${boundTo}.`, {
      hint: 'Use the key of that account, or another database with --database.',
    });
  }
  if (!(await deps.billing.findMeterById(meterId))) {
    throw new MeterctlError('conflict', `The key's account has no meter ${meterId}, which meterctl.json names.`, {
      hint: 'Use the key of the account that init was run with, or run meterctl init again in another folder.',
    });
  }
}
