/** The process: arguments, environment, signals and streams, handed to the command line as values. */

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { runProgram } from './cli/program.js';
import { createTerminal } from './terminal/terminal.js';

/** Runs the command line of this process and sets its exit code. */
export async function main(): Promise<void> {
  // Whoever reads our output may stop reading, as `head` does; that is no failure.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endOnBrokenPipe);
  process.exitCode = await runProgram({
    argv: process.argv.slice(2),
    env: process.env,
    userName,
    folder: process.cwd(),
    terminal: createTerminal(process, process.env),
    version: readVersion(),
    self: { node: process.execPath, nodeVersion: process.version, script: process.argv[1] ?? '' },
    async loadHost(createLog) {
      const { createHost } = await import('./host.js');
      // The log wants the time, and the host wants the log.
      const host = createHost(createLog(() => host.clock.nowMs()));
      return host;
    },
    untilStopped,
  });
}

/** Resolves at the first SIGINT or SIGTERM. Whoever sends a second one does not want to wait any longer. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signalNumber: number) => () => {
      // A shell reports a process that ended by a signal as 128 and the signal's number.
      if (asked) process.exit(128 + signalNumber);
      asked = true;
      resolve();
    };
    process.on('SIGINT', stop(2));
    process.on('SIGTERM', stop(15));
  });
}

/** In a container a process may run by a number that nobody has a name for. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** A full disk behind our output is a failure, but none of this program. */
function endOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`error: The output cannot be written: ${error.message}.\n`);
  process.exit(7);
}

function readVersion(): string {
  // Read as text: the file lies outside of what is compiled.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
