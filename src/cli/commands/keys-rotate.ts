/** `meterctl keys rotate`: a new key in the place of another, which works on for a grace. */

import type { Command } from 'commander';
import { rotateKey } from '../../keys/rotate.js';
import { rfc3339 } from '../../lib/rfc3339.js';
import { tableText } from '../../terminal/table.js';
import { timeText } from '../../terminal/time.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { endOf } from '../key-options.js';
import { issueDeps, keyJson, newKeyJson } from '../key-row.js';
import * as parse from '../parse.js';

/** Long enough to roll the new key out, short enough for one that leaked. */
const graceMs = 24 * 3_600_000;

interface Options {
  grace?: number;
  expires?: parse.Moment;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('<key>', "the key's id", parse.id('key'))
    .option('--grace <duration>', 'how long the old key works on (default: 24h)', parse.grace)
    .option(
      '--expires <end>',
      'when the new key ends; by default it lives as long as the old one was to',
      parse.moment,
    )
    .action(run(rotate));
  addExamples(command, [
    ['meterctl keys rotate key_01jd9v5w2n8q --grace 24h', 'both work for a day'],
    ['meterctl keys rotate key_01jd9v5w2n8q --grace 0s', 'the old one ends now'],
  ]);
}

async function rotate(context: Context, keyId: string, options: Options): Promise<undefined> {
  const deps = await issueDeps(context);
  const nowMs = deps.host.clock.nowMs();
  const expiresAtMs = options.expires && endOf(options.expires, nowMs);
  const rotated = await rotateKey(
    deps,
    keyId,
    { graceMs: options.grace ?? graceMs, expiresAtMs },
    context.actor,
  );
  const endsAt = rfc3339(rotated.old.revokedAtMs ?? nowMs);
  context.show({
    json: () => ({
      ...newKeyJson(rotated, nowMs),
      old: { id: keyId, ends_at: endsAt },
      in_use: rotated.inUse.map((key) => keyJson(key, nowMs)),
    }),
    text: () => rotated.secret,
  });
  if (context.flags.json) return;
  context.note('Keep it now: it is not stored here and cannot be shown again.');
  context.note(`${rotated.key.id} follows ${keyId}, which ends at ${endsAt}.`);
  noteInUse(context, rotated.inUse, nowMs);
}

/** Whoever still uses the old key should get the new one before it ends. */
function noteInUse(
  context: Context,
  inUse: Awaited<ReturnType<typeof rotateKey>>['inUse'],
  nowMs: number,
): void {
  if (inUse.length === 0) {
    context.note('No key of this customer has been used so far.');
    return;
  }
  const columns = [
    { title: 'IN USE' },
    { title: 'KEY' },
    { title: 'NAME', flexible: true },
    { title: 'LAST USED' },
  ];
  const { stderr } = context.terminal;
  const rows = inUse.map((key) => [
    key.id,
    key.hint,
    key.name ?? '',
    timeText(stderr, key.lastUsedAtMs, nowMs),
  ]);
  context.note(tableText(stderr, columns, rows));
}
