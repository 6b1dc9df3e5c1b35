/** `meterctl emulator start`: the embedded Stripe on a port of its own. */

import type { Command } from 'commander';
import { openEmulator } from '../../app.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';
import { addFaultOptions, changeFaults, type FaultOptions } from '../fault-options.js';
import * as parse from '../parse.js';

/** The port of Stripe's own mock server, which its SDKs' examples use. */
const portDefault = 12_111;

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command.option(
    '--port <number>',
    'listen here on 127.0.0.1; 0 takes any free port',
    parse.wholeNumber(0, 65_535),
    portDefault,
  );
  addFaultOptions(command).action(run(start));
  addExamples(command, [
    ['meterctl emulator start', 'then, elsewhere: STRIPE_API_BASE=http://127.0.0.1:12111'],
    ['meterctl emulator start --port 0 --json', 'on any free port, which the first line names'],
    ['meterctl emulator start --429 5% --latency 50ms', 'with faults, as meterctl emulator fault sets them'],
  ]);
}

async function start(context: Context, options: FaultOptions & { port: number }): Promise<undefined> {
  const stopped = context.untilStopped();
  const machine = await context.machine('info');
  // Before anything listens: the first request meets them already.
  await changeFaults(context, options, machine.clock.nowMs());
  const emulator = await openEmulator(context.emulatorSettings(), machine, { port: options.port });
  try {
    context.show({
      json: () => ({ event: 'listening', url: emulator.url, mode: 'emulator' }),
      text: () => `The embedded Stripe listens on ${context.paint.link(emulator.url)}. Ctrl-C ends it.`,
    });
    await stopped;
  } finally {
    await emulator.close();
  }
}
