/** `meterctl audit list`: who changed what, newest first. */

import type { Command } from 'commander';
import { rfc3339 } from '../../lib/rfc3339.js';
import { timeText } from '../../terminal/time.js';
import { auditDetails } from '../audit-details.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { addPageOptions, type PageOptions, pageRequest, showPage } from '../pages.js';
import * as parse from '../parse.js';

interface Options extends PageOptions {
  actor?: string;
  action?: string;
  subject?: string;
  customer?: string;
  from?: number;
  to?: number;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .option(
      '--actor <actor>',
      'only what was done by cli:NAME, portal:KEY, checkout or system',
      parse.shortText,
    )
    .option('--action <action>', 'only actions such as key.revoked', parse.shortText)
    .option('--subject <id>', 'only what was done to this key, for instance', parse.shortText)
    .option('--customer <id>', 'only what concerns this customer', parse.id('cus'))
    .option('--from <time>', 'only from this time on', parse.time)
    .option('--to <time>', 'only before this time', parse.time);
  addPageOptions(command).action(run(list));
  addExamples(command, [
    ['meterctl audit list --customer cus_NffrFeUfNV2Hib', 'what was done about a customer'],
    ['meterctl audit list --action key.revoked --from 2026-11-01', 'which keys were revoked this month'],
  ]);
}

async function list(context: Context, options: Options): Promise<undefined> {
  const nowMs = (await context.host()).clock.nowMs();
  const { actor, action, subject, customer: customerId, from: fromMs, to: toMs } = options;
  const filter = { actor, action, subject, customerId, fromMs, toMs };
  const { currency } = context.readySettings().catalog;
  const page = await (await context.store()).listAudit(filter, pageRequest(options));
  showPage(context, page, {
    columns: [
      { title: 'WHEN' },
      { title: 'WHO' },
      { title: 'ACTION' },
      { title: 'SUBJECT' },
      { title: 'CUSTOMER', optional: true },
      { title: 'DETAILS', flexible: true, optional: true },
    ],
    row: (entry) => [
      timeText(context.terminal.stdout, entry.atMs, nowMs),
      entry.actor,
      entry.action,
      entry.subject,
      entry.customerId ?? '',
      detailsText(auditDetails(entry.details, currency)),
    ],
    json: ({ atMs, customerId: customer, details, ...entry }) => ({
      ...entry,
      details: auditDetails(details, currency),
      customer,
      at: rfc3339(atMs),
    }),
    none: 'Nothing of that kind has been done.',
  });
}

/** What says nothing is left out. */
function detailsText(details: Record<string, unknown>): string {
  return Object.entries(details)
    .map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)])
    .filter(([, text]) => text !== 'null' && text !== '[]' && text !== '{}')
    .map(([name, text]) => `${name}=${text}`)
    .join(' ');
}
