/** `meterctl keys list`: one page of keys, newest first. */

import { type Command, Option } from 'commander';
import type { KeyStatus } from '../../domain/key.js';
import { afterDuration, beforeDuration, type Duration } from '../../lib/duration.js';
import { paintStatus } from '../../terminal/paint.js';
import { timeText } from '../../terminal/time.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { keyJson } from '../key-row.js';
import { addPageOptions, type PageOptions, pageRequest, showPage } from '../pages.js';
import * as parse from '../parse.js';

interface Options extends PageOptions {
  customer?: string;
  status?: KeyStatus;
  unused?: Duration;
  expiring?: Duration;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .option('--customer <id>', 'only the keys of this customer', parse.id('cus'))
    .addOption(
      new Option('--status <status>', 'only keys in this state').choices(['active', 'expired', 'revoked']),
    )
    .option('--unused <duration>', 'only keys that were not used for so long', parse.duration)
    .option('--expiring <duration>', 'only keys that still work and end within so long', parse.duration);
  addPageOptions(command).action(run(list));
  addExamples(command, [
    ['meterctl keys list --customer cus_NffrFeUfNV2Hib', "a customer's keys"],
    ['meterctl keys list --status active --unused 30d', 'keys that nobody would miss'],
    ['meterctl keys list --expiring 7d', 'keys to be renewed this week'],
  ]);
}

async function list(context: Context, options: Options): Promise<undefined> {
  const nowMs = (await context.host()).clock.nowMs();
  const { customer: customerId, status, unused, expiring } = options;
  const unusedSinceMs = unused && beforeDuration(nowMs, unused);
  const endingBeforeMs = expiring && afterDuration(nowMs, expiring);
  const filter = { nowMs, customerId, status, unusedSinceMs, endingBeforeMs };
  const page = await (await context.store()).listKeys(filter, pageRequest(options));
  const { stdout } = context.terminal;
  showPage(context, page, {
    columns: [
      { title: 'ID' },
      { title: 'KEY', optional: true },
      { title: 'CUSTOMER' },
      { title: 'NAME', flexible: true },
      { title: 'STATUS' },
      { title: 'LAST USED', optional: true },
      { title: 'ENDS', optional: true },
    ],
    row: (key) => [
      key.id,
      key.hint,
      key.customerId,
      key.name ?? '',
      { text: keyJson(key, nowMs).status, paint: (text) => paintStatus(context.paint, text) },
      timeText(stdout, key.lastUsedAtMs, nowMs),
      timeText(stdout, key.revokedAtMs ?? key.expiresAtMs, nowMs),
    ],
    json: (key) => keyJson(key, nowMs),
    none: 'There are no such keys.',
  });
}
