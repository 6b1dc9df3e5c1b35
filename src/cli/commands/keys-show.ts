/** `meterctl keys show`: one key, without its secret. */

import type { Command } from 'commander';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { findKey, showKey } from '../key-row.js';
import * as parse from '../parse.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.argument('<key>', "the key's id", parse.id('key')).action(run(show));
  addExamples(command, [['meterctl keys show key_01jd9v5w2n8q', 'what is known of a key']]);
}

async function show(context: Context, keyId: string): Promise<undefined> {
  const nowMs = (await context.host()).clock.nowMs();
  await showKey(context, await findKey(context, keyId), nowMs);
}
