/** `meterctl emulator advance`: time passes at the embedded Stripe, and what falls due on the way is done. */

import type { Command } from 'commander';
import { openEmulator } from '../../app.js';
import { MeterctlError } from '../../domain/error.js';
import { afterDuration } from '../../lib/duration.js';
import { rfc3339 } from '../../lib/rfc3339.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import * as parse from '../parse.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .argument('<time>', 'how far: a duration such as 1mo, or a time to go to', parse.moment)
    .addHelpText('after', '\nTime only moves forward. A running meterctl serve follows at once.')
    .action(run(advance));
  addExamples(command, [
    ['meterctl emulator advance 1mo', 'to the next billing period: invoices are made'],
    ['meterctl emulator advance 2027-01-01T00:00:00Z', 'to a time'],
  ]);
}

async function advance(context: Context, moment: parse.Moment): Promise<undefined> {
  const emulator = await openEmulator(context.emulatorSettings(), await context.machine(), { port: 0 });
  try {
    const nowMs = emulator.nowMs();
    const targetMs = 'atMs' in moment ? moment.atMs : afterDuration(nowMs, moment.distance);
    // Stripe counts whole seconds.
    const toMs = Math.ceil(targetMs / 1000) * 1000;
    if (toMs <= nowMs) {
      throw new MeterctlError(
        'invalid',
        `That time has passed: at the embedded Stripe it is ${rfc3339(nowMs)}.`,
      );
    }
    const done = emulator.advanceTo(toMs);
    context.show({
      json: () => ({ now: rfc3339(toMs), done }),
      text: () => `It is ${rfc3339(toMs)} now.`,
    });
  } finally {
    await emulator.close();
  }
}
