/** `meterctl customers list`: one page of customers, newest first. */

import type { Command } from 'commander';
import { paintStatus } from '../../terminal/paint.js';
import { timeText } from '../../terminal/time.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { customerJson, customerStatus, statusRule } from '../customer-row.js';
import { addPageOptions, type PageOptions, pageRequest, showPage } from '../pages.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  addPageOptions(command).action(run(list));
  addExamples(command, [
    ['meterctl customers list', 'the newest customers'],
    ['meterctl customers list --json --limit 1000', 'many, for a script'],
  ]);
}

async function list(context: Context, options: PageOptions): Promise<undefined> {
  const rule = await statusRule(context);
  const page = await (await context.store()).listCustomers(pageRequest(options));
  const paint = (text: string) => paintStatus(context.paint, text);
  showPage(context, page, {
    columns: [
      { title: 'ID' },
      { title: 'E-MAIL', flexible: true },
      { title: 'NAME', flexible: true },
      { title: 'STATUS' },
      { title: 'CREATED', optional: true },
    ],
    row: (customer) => [
      customer.id,
      customer.email ?? '',
      customer.name ?? '',
      { text: customerStatus(customer, rule), paint },
      timeText(context.terminal.stdout, customer.createdAtMs, rule.nowMs),
    ],
    json: (customer) => customerJson(customer, rule),
    none: 'There are no customers yet. Make one with: meterctl customers create --email ada@example.com',
  });
}
