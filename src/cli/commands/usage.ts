/** `meterctl usage`: what was used, grouped as asked. */

import { type Command, Option } from 'commander';
import { MeterctlError } from '../../domain/error.js';
import type { UsageGrouping } from '../../domain/usage.js';
import { beforeDuration } from '../../lib/duration.js';
import { type UsageReport, type UsageReportRow, usageReport } from '../../reports/usage.js';
import { csvText } from '../../terminal/csv.js';
import { countOf, countText } from '../../terminal/money.js';
import { type Column, tableText } from '../../terminal/table.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { findCustomer } from '../customer-row.js';
import { findKey } from '../key-row.js';
import * as parse from '../parse.js';

interface Options {
  customer?: string;
  key?: string;
  route?: string;
  from?: parse.Moment;
  to?: parse.Moment;
  by: UsageGrouping;
  csv?: true;
}

const groupings: readonly UsageGrouping[] = ['hour', 'day', 'month', 'customer', 'key', 'route'];

const dayMs = 86_400_000;
const defaultDays = 30;

/** How much of a bucket's time is worth showing. */
const bucketLength: Partial<Record<UsageGrouping, number>> = { hour: 16, day: 10, month: 7 };

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .option('--customer <id>', 'only what this customer used', parse.id('cus'))
    .option('--key <id>', 'only what was used with this key', parse.id('key'))
    .option('--route <route>', 'only what this route was used for: "GET /api"', parse.shortText)
    .option('--from <time>', `start: a time, or how long ago; ${defaultDays}d by default`, parse.moment)
    .option('--to <time>', 'end, not included: a time, or how long ago; now by default', parse.moment)
    .addOption(new Option('--by <group>', 'a row for each').choices(groupings).default('day'))
    .option('--csv', 'print CSV')
    .action(run(report));
  addExamples(command, [
    ['meterctl usage', 'the last 30 days, day by day'],
    ['meterctl usage --by customer --from 2026-11-01 --to 2026-12-01', 'who used how much in November'],
    ['meterctl usage --customer cus_NffrFeUfNV2Hib --by hour --from 24h', "one customer's last day"],
    ['meterctl usage --by route --csv > routes.csv', 'for a spreadsheet'],
  ]);
}

async function report(context: Context, options: Options): Promise<undefined> {
  if (options.csv && context.flags.json)
    throw new MeterctlError('invalid', 'Choose one of --csv and --json.');
  const { customer, key, route, by } = options;
  const nowMs = (await context.host()).clock.nowMs();
  const span = spanOf(options, nowMs);
  if (customer !== undefined) await findCustomer(context, customer);
  if (key !== undefined) await findKey(context, key);
  const store = await context.store();
  const found = await usageReport({ store }, { ...span, by, customerId: customer, keyId: key, route });
  context.show({ json: () => found, text: () => (options.csv ? csv(found) : table(context, found)) });
}

/** Whole seconds: what was used just now is included, and the times read well. By default whole days too. */
function spanOf({ from, to }: Options, nowMs: number): { fromMs: number; toMs: number } {
  const toMs = to ? ago(to, nowMs) : Math.floor(nowMs / 1000) * 1000 + 1000;
  const fromMs = from ? ago(from, nowMs) : Math.floor(toMs / dayMs - defaultDays) * dayMs;
  if (fromMs < toMs) return { fromMs, toMs };
  throw new MeterctlError('invalid', 'The start (--from) must lie before the end (--to).');
}

function ago(moment: parse.Moment, nowMs: number): number {
  return 'atMs' in moment ? moment.atMs : beforeDuration(nowMs, moment.distance);
}

function csv({ by, data }: UsageReport): string {
  return csvText([columnOf(by), 'units', 'requests'], data);
}

function table(context: Context, { by, data, total, from, to }: UsageReport): string {
  const { stdout } = context.terminal;
  const columns: Column[] = [
    { title: by.toUpperCase(), flexible: by === 'route' },
    { title: 'UNITS', align: 'right' },
    { title: 'REQUESTS', align: 'right' },
  ];
  const rows = data.map((row) => [nameOf(row, by), countText(row.units), countText(row.requests)]);
  const text =
    data.length === 0 ? `Nothing was used from ${from} to ${to}.\n` : tableText(stdout, columns, rows);
  const parts = (['delivered', 'pending', 'uncertain', 'refused'] as const)
    .filter((part) => total[part] !== 0)
    .map((part) => `${countText(total[part])} ${part}`);
  if (data.length === 0) return text;
  const sum = `${countOf(total.units, 'unit')} in ${countOf(total.requests, 'request')}`;
  return `${text}\n${context.paint.strong(sum)}: ${parts.join(', ')}\n`;
}

function columnOf(by: UsageGrouping): keyof UsageReportRow {
  return by === 'hour' || by === 'day' || by === 'month' ? 'bucket' : by;
}

/** The part of a time that tells buckets apart; usage without a key was recorded by the operator. */
function nameOf(row: UsageReportRow, by: UsageGrouping): string {
  const name = row[columnOf(by)] ?? '(no key)';
  return String(name)
    .slice(0, bucketLength[by])
    .replace('T', by === 'hour' ? ' ' : 'T');
}
