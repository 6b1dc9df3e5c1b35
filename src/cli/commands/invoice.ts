/** `meterctl invoice`: the coming invoice as Stripe computes it, beside what Stripe does not have yet. */

import type { Command } from 'commander';
import { invoiceReport } from '../../reports/invoice.js';
import { countOf, countText } from '../../terminal/money.js';
import { tableText } from '../../terminal/table.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import * as parse from '../parse.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.argument('<customer>', "the customer's id", parse.id('cus')).action(run(show));
  addExamples(command, [
    ['meterctl invoice cus_NffrFeUfNV2Hib', 'what the running period will cost'],
    ['meterctl invoice cus_NffrFeUfNV2Hib --json | jq -r .amount_due', 'only the amount'],
  ]);
}

async function show(context: Context, customerId: string): Promise<undefined> {
  const deps = { store: await context.store(), billing: await context.billing() };
  const invoice = await invoiceReport(deps, customerId);
  const { paint, terminal } = context;
  context.show({
    json: () => invoice,
    text() {
      const currency = invoice.currency.toUpperCase();
      const lines = invoice.lines.map((line) => [line.description, countText(line.quantity), line.amount]);
      const table = tableText(
        terminal.stdout,
        [
          { title: 'DESCRIPTION', flexible: true },
          { title: 'QUANTITY', align: 'right' },
          { title: currency, align: 'right' },
        ],
        lines,
      );
      const pending =
        invoice.pending_units === 0
          ? 'Stripe has every unit of this period.'
          : `${countOf(invoice.pending_units, 'unit')} of this period ${invoice.pending_units === 1 ? 'is' : 'are'} not delivered to Stripe yet.`;
      return [
        `Coming invoice of ${customerId}, ${invoice.period.start} to ${invoice.period.end}\n`,
        table,
        `${paint.strong(`Due: ${invoice.amount_due} ${currency}`)}`,
        paint.faint(pending),
      ].join('\n');
    },
  });
}
