/** `meterctl alerts test`: sends a message to everywhere that alerts go, and tells what came of it. */

import type { Command } from 'commander';
import { testMessage } from '../../alerts/alert-message.js';
import { createSinks } from '../../alerts/sinks.js';
import { MeterctlError } from '../../domain/error.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { exitFound } from '../exit.js';

interface Result {
  sink: string;
  ok: boolean;
  reason: string | null;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .addHelpText(
      'after',
      '\nWhere alerts go stands in meterctl.json: alerts.url and alerts.command. Posts are signed with METERCTL_ALERT_SECRET' +
        '\nas Standard Webhooks says. Ends with 3 when a message was not taken.',
    )
    .action(run(test));
  addExamples(command, [['meterctl alerts test', 'see that alerts would arrive']]);
}

async function test(context: Context): Promise<number> {
  const machine = await context.machine();
  const sinks = createSinks(context.settings().alerts, machine);
  if (sinks.size === 0) {
    throw new MeterctlError('invalid', 'Alerts go nowhere yet.', {
      hint: 'Set alerts.url or alerts.command in meterctl.json.',
    });
  }
  const id = machine.ids.next('alt');
  const message = testMessage(id, machine.clock.nowMs());
  const results: Result[] = [];
  for (const [sink, deliver] of sinks) {
    const reason = await deliver(id, message).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    results.push({ sink, ok: reason === null, reason });
  }
  context.show({
    json: () => ({ id, sinks: results }),
    text: () => results.map(({ sink, reason }) => `${sink}: ${reason ?? 'taken'}`).join('\n'),
  });
  return results.every(({ ok }) => ok) ? 0 : exitFound;
}
