/** `meterctl emulator fault`: makes the embedded Stripe misbehave, to see how a setup stands it. */

import type { Command } from 'commander';
import { pairsText } from '../../terminal/table.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import {
  addFaultOptions,
  changeFaults,
  type FaultOptions,
  faultPairs,
  faultsJson,
} from '../fault-options.js';

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  addFaultOptions(command)
    .addHelpText(
      'after',
      '\nFaults stay until they are changed, and strike a running meterctl serve at once. Without options they are shown.',
    )
    .action(run(fault));
  addExamples(command, [
    ['meterctl emulator fault --429 5% --drop-answers 2%', 'some calls refused, some answers lost'],
    ['meterctl emulator fault --outage 30s', 'unreachable for half a minute'],
    ['meterctl emulator fault --off', 'in good health again'],
  ]);
}

async function fault(context: Context, options: FaultOptions): Promise<undefined> {
  const nowMs = (await context.machine()).clock.nowMs();
  const faults = await changeFaults(context, options, nowMs);
  context.show({
    json: () => faultsJson(faults, nowMs),
    text: () => pairsText(context.terminal.stdout, faultPairs(faults, nowMs, context.paint.faint)),
  });
}
