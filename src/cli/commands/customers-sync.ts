/** `meterctl customers sync`: brings one customer, or all, up to what Stripe says now. */

import type { Command } from 'commander';
import { syncAllCustomers, syncCustomer } from '../../customers/sync.js';
import { countOf } from '../../terminal/money.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { findCustomer, showCustomer, statusRule } from '../customer-row.js';
import * as parse from '../parse.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('[customer]', "a customer's id; without it all are synced", parse.id('cus'))
    .action(run(sync));
  addExamples(command, [
    ['meterctl customers sync cus_NffrFeUfNV2Hib', 'after a change in the Dashboard that did not arrive'],
    ['meterctl customers sync', 'after days without webhooks'],
  ]);
}

async function sync(context: Context, customerId: string | undefined): Promise<undefined> {
  const deps = { store: await context.store(), billing: await context.billing() };
  if (customerId !== undefined) {
    await findCustomer(context, customerId);
    showCustomer(context, await syncCustomer(deps, customerId), await statusRule(context));
    return;
  }
  const { synced, unknown } = await syncAllCustomers(deps);
  context.show({
    json: () => ({ synced, unknown }),
    text: () => `Synced ${countOf(synced, 'customer')}.`,
  });
  for (const id of unknown) context.note(`Stripe does not know ${id}: it stays here as it was.`);
}
