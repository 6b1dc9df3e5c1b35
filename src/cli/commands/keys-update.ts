/** `meterctl keys update`: changes what is decided about a key, within a second everywhere. */

import type { Command } from 'commander';
import { MeterctlError } from '../../domain/error.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { addTermOptions, changeOf, clearOption, type TermOptions } from '../key-options.js';
import { findKey, showKey } from '../key-row.js';
import * as parse from '../parse.js';

interface Options extends TermOptions {
  clear?: string[];
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  addTermOptions(command.argument('<key>', "the key's id", parse.id('key')))
    .addOption(clearOption())
    .addHelpText('after', '\nIts limits are changed by meterctl limits set --key.')
    .action(run(update));
  addExamples(command, [
    ['meterctl keys update key_01jd9v5w2n8q --expires 30d', 'let it end in a month'],
    ['meterctl keys update key_01jd9v5w2n8q --clear expires ip', 'let it work for ever and from everywhere'],
    [
      'meterctl keys update key_01jd9v5w2n8q --metadata team=billing --metadata owner=',
      'add a note, remove one',
    ],
  ]);
}

async function update(context: Context, keyId: string, options: Options): Promise<undefined> {
  const nowMs = (await context.host()).clock.nowMs();
  const change = changeOf(options, options.clear ?? [], nowMs);
  if (Object.values(change).every((value) => value === undefined)) {
    throw new MeterctlError('invalid', 'Nothing is to be changed.', {
      hint: 'See meterctl keys update --help',
    });
  }
  const act = { actor: context.actor, atMs: nowMs };
  const changed = await (await context.store()).changeKey(keyId, change, act);
  await showKey(context, changed ?? (await findKey(context, keyId)), nowMs);
}
