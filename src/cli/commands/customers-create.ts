/** `meterctl customers create`: a customer in Stripe and here. */

import type { Command } from 'commander';
import { createCustomer } from '../../customers/create.js';
import { noteInAudit } from '../audit-note.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { showCustomer, statusRule } from '../customer-row.js';
import * as parse from '../parse.js';

interface Options {
  email: string;
  name?: string;
  subscribe?: true;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .requiredOption('--email <address>', 'where invoices go', parse.email)
    .option('--name <name>', 'how invoices address the customer', parse.shortText)
    .option('--subscribe', 'subscribe at once, with invoices by mail that are due in 30 days')
    .action(run(create));
  addExamples(command, [
    ['meterctl customers create --email ada@example.com', 'a customer who will subscribe through Checkout'],
    [
      'meterctl customers create --email ada@example.com --name "Ada Ltd" --subscribe',
      'one who may call at once',
    ],
  ]);
}

async function create(context: Context, options: Options): Promise<undefined> {
  const { catalogIds } = context.readySettings();
  const deps = { store: await context.store(), billing: await context.billing(), host: await context.host() };
  const customer = await createCustomer(deps, {
    email: options.email,
    name: options.name ?? null,
    subscribeTo: options.subscribe ? catalogIds.price : null,
  });
  const details = { subscribed: options.subscribe === true };
  await noteInAudit(context, {
    action: 'customer.created',
    subject: customer.id,
    customerId: customer.id,
    details,
  });
  showCustomer(context, customer, await statusRule(context));
}
