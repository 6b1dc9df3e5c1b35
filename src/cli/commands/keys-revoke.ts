/** `meterctl keys revoke`: ends a key, or all keys of a customer, for good. */

import type { Command } from 'commander';
import type { Act } from '../../domain/audit.js';
import { MeterctlError } from '../../domain/error.js';
import { addExamples, type Runner } from '../command.js';
import { type Context, confirmed } from '../context.js';
import { findKey, keyJson, showKey } from '../key-row.js';
import * as parse from '../parse.js';

interface Options {
  customer?: string;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('[key]', "the key's id", parse.id('key'))
    .option('--customer <id>', 'end every key of this customer instead', parse.id('cus'))
    .action(run(revoke));
  addExamples(command, [
    ['meterctl keys revoke key_01jd9v5w2n8q', 'asks first, at a terminal'],
    ['meterctl keys revoke key_01jd9v5w2n8q --yes', 'does not ask'],
    ['meterctl keys revoke --customer cus_NffrFeUfNV2Hib', 'all keys of a customer'],
  ]);
}

async function revoke(context: Context, keyId: string | undefined, options: Options): Promise<undefined> {
  if ((keyId === undefined) === (options.customer === undefined)) {
    throw new MeterctlError('invalid', 'Name either a key or --customer.', {
      hint: 'See meterctl keys revoke --help',
    });
  }
  const act = { actor: context.actor, atMs: (await context.host()).clock.nowMs() };
  if (keyId !== undefined) return revokeOne(context, keyId, act);
  if (options.customer !== undefined) return revokeAll(context, options.customer, act);
}

async function revokeOne(context: Context, keyId: string, act: Act): Promise<undefined> {
  const key = await findKey(context, keyId);
  const question = `Revoke ${key.hint} of ${key.customerId}? This cannot be undone.`;
  if (key.revokedAtMs === null || key.revokedAtMs > act.atMs) await confirmed(context, question);
  const outcome = await (await context.store()).revokeKey(keyId, act);
  if (outcome === 'already') context.note(`${keyId} had been revoked before.`);
  await showKey(context, await findKey(context, keyId), act.atMs);
}

async function revokeAll(context: Context, customerId: string, act: Act): Promise<undefined> {
  await confirmed(context, `Revoke every key of ${customerId}? This cannot be undone.`);
  const revoked = await (await context.store()).revokeKeysOf(customerId, act);
  if (!revoked) {
    throw new MeterctlError('not_found', `There is no customer ${customerId} here.`, {
      hint: 'See meterctl customers list',
    });
  }
  context.show({
    json: () => ({ data: revoked.map((key) => keyJson(key, act.atMs)), next_cursor: null }),
    text: () => `Revoked ${revoked.length} ${revoked.length === 1 ? 'key' : 'keys'} of ${customerId}.`,
  });
}
