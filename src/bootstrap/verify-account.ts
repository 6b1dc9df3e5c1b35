/** Makes sure that the key belongs to the account that this database was made for. */

import type { CatalogBilling } from '../domain/billing.js';
import { MeterctlError } from '../domain/error.js';
import type { IdentityStore } from '../domain/store.js';

interface AccountDeps {
  store: IdentityStore;
  billing: CatalogBilling;
}

/** Binds a fresh database to the key's account. Throws `conflict` when it belongs to another. */
export async function bindAccount({ store, billing }: AccountDeps): Promise<void> {
  const accountId = await billing.findAccountId();
  if (accountId === undefined) return;
  const boundTo = await store.bindAccount(accountId);
  if (boundTo === accountId) return;
  throw new MeterctlError(
    'conflict',
    `The key belongs to ${accountId}, but this database belongs to ${boundTo}.`,
    {
      hint: 'Use the key of that account, or another database with --database.',
    },
  );
}

/**
 * The daemon's check before any usage is sent. Throws `conflict` also when the account lacks our meter, and `unavailable`
 * or `unauthorized` when Stripe cannot be asked.
 */
export async function verifyAccount(deps: AccountDeps, meterId: string): Promise<void> {
  await bindAccount(deps);
  if (await deps.billing.findMeterById(meterId)) return;
  throw new MeterctlError(
    'conflict',
    `The key's account has no meter ${meterId}, which meterctl.json names.`,
    {
      hint: 'Use the key of the account that init was run with, or run meterctl init again in another folder.',
    },
  );
}
