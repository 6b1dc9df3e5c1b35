/** `meterctl customers suspend`: no more calls, whatever Stripe says, until the customer is resumed. */

import type { Command } from 'commander';
import { addExamples, type Runner } from '../command.js';
import { type Context, confirmed } from '../context.js';
import { findCustomer, showCustomer, statusRule } from '../customer-row.js';
import * as parse from '../parse.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.argument('<customer>', "the customer's id", parse.id('cus')).action(run(suspend));
  command.addHelpText(
    'after',
    '\nThe subscription goes on and is billed. Keys stay, and work again afterwards.',
  );
  addExamples(command, [
    ['meterctl customers suspend cus_NffrFeUfNV2Hib', 'asks first, at a terminal'],
    ['meterctl customers suspend cus_NffrFeUfNV2Hib --yes', 'does not ask'],
  ]);
}

async function suspend(context: Context, customerId: string): Promise<undefined> {
  const customer = await findCustomer(context, customerId);
  const rule = await statusRule(context);
  if (customer.suspendedAtMs === null) {
    await confirmed(context, `Take all access away from ${customer.email ?? customerId}?`);
    await (await context.store()).recordSuspension(customerId, true, {
      actor: context.actor,
      atMs: rule.nowMs,
    });
  } else {
    context.note(`${customerId} had been suspended before.`);
  }
  showCustomer(context, await findCustomer(context, customerId), rule);
}
