/** `meterctl keys verify`: tells whether a key works. The secret never stands in the arguments, where others could see it. */

import type { Command } from 'commander';
import { MeterctlError } from '../../domain/error.js';
import { checkKey, checkOffline, type KeyCheck } from '../../keys/check.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { exitFound } from '../exit.js';
import { keyJson } from '../key-row.js';

/** Far more than any key is long; the rest is not read. */
const inputMax = 4096;

/** What each status means to the person who asks. */
const meanings: Record<KeyCheck['status'], string> = {
  active: 'The key works.',
  expired: 'The key has expired.',
  revoked: 'The key was revoked.',
  unknown: 'The key is well formed, but was not made here.',
  malformed: 'This is no key that was made here: its form or its checksum is wrong.',
};

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.addHelpText('after', '\nExit code 0 when the key works, 3 when it does not.').action(run(verify));
  addExamples(command, [
    ['meterctl keys verify', 'asks for the key without showing it'],
    ['printenv API_KEY | meterctl keys verify --json', 'in a script'],
  ]);
}

async function verify(context: Context): Promise<number> {
  const secret = await readSecret(context);
  const { keyPrefix } = context.settings().auth;
  const { status, key } = checkOffline(secret, keyPrefix) ?? (await checkInStore(context, secret));
  const { clock } = await context.host();
  const paint = status === 'active' ? context.paint.good : context.paint.bad;
  const owner = key ? ` ${key.id} of ${key.customerId}${key.name === null ? '' : `, ${key.name}`}.` : '';
  context.show({
    json: () => ({ valid: status === 'active', status, key: key ? keyJson(key, clock.nowMs()) : null }),
    text: () => `${paint(meanings[status])}${owner}`,
  });
  return status === 'active' ? 0 : exitFound;
}

async function checkInStore(context: Context, secret: string): Promise<KeyCheck> {
  const { auth } = context.readySettings();
  const { clock, log } = await context.host();
  return checkKey({ store: await context.store(), clock, log, ...auth }, secret);
}

async function readSecret(context: Context): Promise<string> {
  if (context.terminal.interactive) return (await context.prompt()).hidden('API key:');
  const secret = (await readStart(context.terminal.stdin)).trim();
  if (secret !== '') return secret;
  throw new MeterctlError('invalid', 'There is no key on stdin.', {
    hint: 'Pipe it in: printenv API_KEY | meterctl keys verify',
  });
}

async function readStart(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.length > inputMax) break;
  }
  return text;
}
