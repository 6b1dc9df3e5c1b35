/** `meterctl serve`: the daemon in the foreground. */

import type { Command } from 'commander';
import { openApp } from '../../daemon.js';
import { addExamples, type Runner } from '../command.js';
import type { Context } from '../context.js';

interface Options {
  port?: string;
  host?: string;
  upstream?: string;
}

/** Declares the command. */
export function declare(command: Command, run: Runner): void {
  command
    .option('--port <number>', 'listen here; 0 takes any free port (default: 8080)')
    .option('--host <address>', 'listen on this address (default: 127.0.0.1)')
    .option('--upstream <url>', 'the API that is sold; without it /api answers by itself')
    .addHelpText(
      'after',
      '\nSIGTERM or Ctrl-C: takes no more calls, finishes those in flight, sends usage, ends.',
    )
    .action(run(serve));
  addExamples(command, [
    ['meterctl serve', 'try it: curl -H "Authorization: Bearer mk_test_…" http://127.0.0.1:8080/api'],
    ['meterctl serve --port 80 --host 0.0.0.0 --upstream http://127.0.0.1:3000', 'sell the API on port 3000'],
  ]);
}

async function serve(context: Context, options: Options): Promise<undefined> {
  const settings = context.readySettings({ ...options });
  const stopped = context.untilStopped();
  const machine = await context.machine('info');
  const app = await openApp(settings, machine);
  try {
    const { url } = await app.start();
    context.show({
      json: () => ({ event: 'listening', url, mode: settings.mode }),
      text: () => `Listening on ${context.paint.link(url)} in ${settings.mode} mode. Ctrl-C ends it.`,
    });
    await stopped;
    machine.log.info('stopping: finishing calls and sending usage; a second signal ends at once');
  } finally {
    await app.stop();
  }
}
