/** `meterctl keys revoke`: ends a key for good. */

import type { Command } from 'commander';
import { addExamples, type Runner } from '../command.js';
import { type Context, confirmed } from '../context.js';
import { findKey, showKey } from '../key-row.js';
import * as parse from '../parse.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.argument('<key>', "the key's id", parse.id('key')).action(run(revoke));
  addExamples(command, [
    ['meterctl keys revoke key_01jd9v5w2n8q', 'asks first, at a terminal'],
    ['meterctl keys revoke key_01jd9v5w2n8q --yes', 'does not ask'],
  ]);
}

async function revoke(context: Context, keyId: string): Promise<undefined> {
  const key = await findKey(context, keyId);
  const question = `Revoke ${key.hint} of ${key.customerId}? This cannot be undone.`;
  if (key.revokedAtMs === null) await confirmed(context, question);
  const nowMs = (await context.host()).clock.nowMs();
  const outcome = await (await context.store()).revokeKey(keyId, nowMs);
  if (outcome === 'already') context.note(`${keyId} had been revoked before.`);
  showKey(context, await findKey(context, keyId), nowMs);
}
