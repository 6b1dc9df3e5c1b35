/** `meterctl keys create`: keys for customers, whose secrets are shown this once. */

import type { Command } from 'commander';
import { MeterctlError } from '../../domain/error.js';
import { issueKey, issueKeys } from '../../keys/issue.js';
import { csvText } from '../../terminal/csv.js';
import { countOf } from '../../terminal/money.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import {
  addKeyLimitOptions,
  addTermOptions,
  type KeyLimitOptions,
  limitsOf,
  type TermOptions,
  termsOf,
} from '../key-options.js';
import { orderFields, readOrders } from '../key-orders.js';
import { issueDeps, newKeyJson } from '../key-row.js';
import * as parse from '../parse.js';
import { openRows } from '../row-fields.js';

interface Options extends TermOptions, KeyLimitOptions {
  customer?: string;
  from?: string;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  addKeyLimitOptions(
    addTermOptions(command.option('--customer <id>', 'who pays for its calls', parse.id('cus'))),
  )
    .option('--from <file>', 'make a key for every row of a CSV or NDJSON file; - is stdin')
    .addHelpText(
      'after',
      '\nRows have the fields customer, name, expires, scopes, ip_allow, rate, quota and metadata (in CSV also metadata.KEY).' +
        '\nAll keys of a file are made, or none.',
    )
    .action(run(create));
  addExamples(command, [
    ['meterctl keys create --customer cus_NffrFeUfNV2Hib', 'a key that never expires'],
    ['meterctl keys create --customer cus_NffrFeUfNV2Hib --name ci --expires 90d', 'a key for three months'],
    [
      'meterctl keys create --customer cus_NffrFeUfNV2Hib --scope read --ip 192.0.2.0/24',
      'one that may only read, and only from there',
    ],
    [
      'meterctl keys create --customer cus_NffrFeUfNV2Hib --json | jq -r .key',
      'only the secret, for a script',
    ],
    ['meterctl keys create --from customers.csv > keys.csv', 'one for every customer in a file'],
  ]);
}

async function create(context: Context, options: Options): Promise<undefined> {
  if (options.from !== undefined) return createMany(context, options, options.from);
  if (options.customer === undefined) {
    throw new MeterctlError('invalid', 'It is not said for whom the key is.', {
      hint: 'Add --customer cus_…, or --from with a file that names customers.',
    });
  }
  const deps = await issueDeps(context);
  const nowMs = deps.host.clock.nowMs();
  const order = { customerId: options.customer, ...termsOf(options, nowMs), limits: limitsOf(options) };
  const issued = await issueKey(deps, order, context.actor);
  const row = newKeyJson(issued, nowMs);
  context.show({ json: () => row, text: () => issued.secret });
  if (context.flags.json) return;
  context.note('Keep it now: it is not stored here and cannot be shown again.');
  context.note(`${row.id} ${row.expires_at === null ? 'never expires' : `expires at ${row.expires_at}`}.`);
}

/** Rows in the order of the file, so that they can be pasted beside it. */
async function createMany(context: Context, options: Options, path: string): Promise<undefined> {
  const { from: _, ...rest } = options;
  const more = Object.keys(rest)[0];
  if (more !== undefined) {
    throw new MeterctlError('invalid', `--${more} cannot be used with --from.`, {
      hint: 'Say it in the rows of the file.',
    });
  }
  const deps = await issueDeps(context);
  const nowMs = deps.host.clock.nowMs();
  const issued = await issueKeys(
    deps,
    await readOrders(openRows(context, path, orderFields), nowMs),
    context.actor,
  );
  const rows = issued.map((one) => newKeyJson(one, nowMs));
  context.show({
    json: () => ({ data: rows, next_cursor: null }),
    text: () => csvText(['customer', 'id', 'key', 'name', 'expires_at'], rows),
  });
  context.note(`Made ${countOf(rows.length, 'key')}. Keep them now: secrets are not stored here.`);
}
