/** `meterctl customers show`: one customer, as known here. */

import type { Command } from 'commander';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { findCustomer, showCustomer, statusRule } from '../customer-row.js';
import * as parse from '../parse.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.argument('<customer>', "the customer's id", parse.id('cus')).action(run(show));
  addExamples(command, [
    ['meterctl customers show cus_NffrFeUfNV2Hib', 'what is known of a customer'],
    ['meterctl customers show cus_NffrFeUfNV2Hib --json', 'the same for a script'],
  ]);
}

async function show(context: Context, customerId: string): Promise<undefined> {
  showCustomer(context, await findCustomer(context, customerId), await statusRule(context));
}
