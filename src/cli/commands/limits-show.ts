/** `meterctl limits show`: what holds for a customer, a key or a plan. */

import type { Command } from 'commander';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { showLimits, subjectOf } from '../limit-row.js';
import * as parse from '../parse.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('[customer]', "the customer's id", parse.id('cus'))
    .option('--key <id>', 'a key instead', parse.id('key'))
    .option('--plan <price>', 'everybody whose subscription has this price', parse.shortText)
    .action(run(show));
  addExamples(command, [
    ['meterctl limits show cus_NffrFeUfNV2Hib', 'what holds for a customer, and what is used of it'],
    ['meterctl limits show --key key_01J9ZK3V7Q --json', 'what a key is held to beside that'],
  ]);
}

async function show(
  context: Context,
  customerId: string | undefined,
  options: { key?: string; plan?: string },
): Promise<undefined> {
  await showLimits(context, subjectOf(customerId, options));
}
