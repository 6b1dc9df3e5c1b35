/** `meterctl customers resume`: ends a suspension, and gives up a cancellation that has not come to its end. */

import type { Command } from 'commander';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { findCustomer, showCustomer, statusRule } from '../customer-row.js';
import * as parse from '../parse.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.argument('<customer>', "the customer's id", parse.id('cus')).action(run(resume));
  command.addHelpText(
    'after',
    '\nIt gives up a customers cancel that was interrupted, too. Access then depends on the subscription alone.',
  );
  addExamples(command, [['meterctl customers resume cus_NffrFeUfNV2Hib', 'within a second everywhere']]);
}

async function resume(context: Context, customerId: string): Promise<undefined> {
  await findCustomer(context, customerId);
  const store = await context.store();
  const rule = await statusRule(context);
  const act = { actor: context.actor, atMs: rule.nowMs };
  await store.recordSuspension(customerId, false, act);
  await store.recordClosing(customerId, false, act);
  showCustomer(context, await findCustomer(context, customerId), rule);
}
