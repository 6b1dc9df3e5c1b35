/** `meterctl customers import`: adopts a customer that Stripe has already. */

import type { Command } from 'commander';
import { syncCustomer } from '../../customers/sync.js';
import { noteInAudit } from '../audit-note.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { showCustomer, statusRule } from '../customer-row.js';
import * as parse from '../parse.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.argument('<customer>', "the customer's id at Stripe", parse.id('cus')).action(run(adopt));
  addExamples(command, [
    ['meterctl customers import cus_NffrFeUfNV2Hib', 'a customer who was made in the Dashboard'],
  ]);
}

async function adopt(context: Context, customerId: string): Promise<undefined> {
  const deps = { store: await context.store(), billing: await context.billing() };
  const customer = await syncCustomer(deps, customerId);
  await noteInAudit(context, {
    action: 'customer.imported',
    subject: customer.id,
    customerId: customer.id,
    details: {},
  });
  showCustomer(context, customer, await statusRule(context));
}
