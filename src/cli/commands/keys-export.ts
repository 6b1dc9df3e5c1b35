/** `meterctl keys export`: every key with its hash, for another database. Secrets are not kept, so none is in it. */

import { once } from 'node:events';
import { type Command, Option } from 'commander';
import type { HashedKey } from '../../domain/key-hash.js';
import { csvText } from '../../terminal/csv.js';
import { countOf } from '../../terminal/money.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { transferCsv, transferFields, transferJson } from '../key-transfer-row.js';

interface Options {
  format: 'ndjson' | 'csv';
}

/** Rows that are read and written at a time. */
const pageLimit = 1_000;

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .addOption(
      new Option('--format <format>', 'how rows are written').choices(['ndjson', 'csv']).default('ndjson'),
    )
    .addHelpText(
      'after',
      '\nWhoever has the file can check guesses at the keys in it: keep it like a backup.',
    )
    .action(run(exportKeys));
  addExamples(command, [
    ['meterctl keys export > keys.ndjson', 'all keys, for keys import'],
    ['meterctl keys export --format csv > keys.csv', 'the same as a table'],
  ]);
}

async function exportKeys(context: Context, { format }: Options): Promise<undefined> {
  if (context.flags.json) {
    const data: unknown[] = [];
    for await (const page of pages(context)) data.push(...page.map(transferJson));
    context.show({ json: () => ({ data, next_cursor: null }), text: () => '' });
    return;
  }
  const { stream } = context.terminal.stdout;
  let count = 0;
  for await (const page of pages(context)) {
    // A reader that is slow is waited for, so that memory stays small.
    if (!stream.write(textOf(page, format, count === 0))) await once(stream, 'drain');
    count += page.length;
  }
  context.note(`Exported ${countOf(count, 'key')}.`);
}

async function* pages(context: Context): AsyncGenerator<HashedKey[]> {
  const store = await context.store();
  let cursor: string | undefined;
  do {
    const page = await store.listHashedKeys({ limit: pageLimit, cursor });
    yield page.data;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

function textOf(page: HashedKey[], format: Options['format'], first: boolean): string {
  if (format === 'csv') return csvText(transferFields, page.map(transferCsv), { header: first });
  return page.map((exported) => `${JSON.stringify(transferJson(exported))}\n`).join('');
}
