/** `meterctl keys create`: a key for a customer, whose secret is shown this once. */

import type { Command } from 'commander';
import { issueKey } from '../../keys/issue.js';
import { afterDuration } from '../../lib/duration.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { keyJson } from '../key-row.js';
import * as parse from '../parse.js';

interface Options {
  customer: string;
  name?: string;
  expires?: parse.Moment;
  scope?: string[];
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .requiredOption('--customer <id>', 'who pays for its calls', parse.id('cus'))
    .option('--name <name>', 'what the key is for', parse.shortText)
    .option('--expires <end>', 'a duration such as 90d, or a time; never by default', parse.moment)
    .option(
      '--scope <scope>',
      'what the key may be used for; repeat it for more; everything by default',
      parse.scopes,
    )
    .action(run(create));
  addExamples(command, [
    ['meterctl keys create --customer cus_NffrFeUfNV2Hib', 'a key that never expires'],
    ['meterctl keys create --customer cus_NffrFeUfNV2Hib --name ci --expires 90d', 'a key for three months'],
    [
      'meterctl keys create --customer cus_NffrFeUfNV2Hib --json | jq -r .key',
      'only the secret, for a script',
    ],
  ]);
}

async function create(context: Context, options: Options): Promise<undefined> {
  const { mode } = context.readySettings();
  const host = await context.host();
  const { secret, key } = await issueKey(
    { store: await context.store(), host, mode },
    {
      customerId: options.customer,
      name: options.name ?? null,
      expiresAtMs: endOf(options.expires, host.clock.nowMs()),
      scopes: options.scope ?? [],
    },
  );
  const { id, ...row } = keyJson(key, host.clock.nowMs());
  context.show({
    json: () => ({ id, key: secret, ...row }),
    text: () => secret,
  });
  if (context.flags.json) return;
  context.note('Keep it now: it is not stored here and cannot be shown again.');
  context.note(`${id} ${key.expiresAtMs === null ? 'never expires' : `expires at ${row.expires_at}`}.`);
}

function endOf(end: parse.Moment | undefined, nowMs: number): number | null {
  if (end === undefined) return null;
  return 'atMs' in end ? end.atMs : afterDuration(nowMs, end.distance);
}
