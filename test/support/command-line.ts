/** Runs the command line inside the test: real files in a folder, a terminal in memory, the real machine. */

import { runProgram } from '../../src/cli/program.js';
import { createHost } from '../../src/host.js';
import { createMemoryTerminal, type Typing } from './memory-terminal.js';

/** How a run ended, and what it wrote. */
export interface CommandRun {
  code: number;
  out: string;
  err: string;
}

/** What a run gets beside its arguments. */
export interface CommandOptions {
  env?: Record<string, string>;
  input?: string;
  tty?: boolean;
  typing?: Typing;
  columns?: number;
}

/** A command line in `folder`, where nothing of the environment around the test is seen. */
export function createCommandLine(folder: string) {
  async function run(line: string | readonly string[], options: CommandOptions = {}): Promise<CommandRun> {
    const { env = {}, ...screen } = options;
    const terminal = createMemoryTerminal({ ...screen, env: { NO_COLOR: '1', ...env } });
    const code = await runProgram({
      argv: typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line,
      env,
      userName: () => 'operator',
      folder,
      terminal,
      version: '0.0.0-test',
      // Nothing that runs inside the test starts the program again.
      self: { node: '', nodeVersion: '', script: '' },
      async loadHost(createLog) {
        const host = createHost(createLog(() => host.clock.nowMs()));
        return host;
      },
      // Whoever serves is asked to stop as soon as it listens.
      untilStopped: () => Promise.resolve(),
    });
    return { code, out: terminal.out(), err: terminal.err() };
  }

  /** Runs with `--json` and reads the answer; fails the test when the run failed. */
  async function json<T>(line: string | readonly string[], options: CommandOptions = {}): Promise<T> {
    const words = typeof line === 'string' ? line.split(' ') : [...line];
    const { code, out, err } = await run([...words, '--json'], options);
    if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${out}${err}`);
    return JSON.parse(out) as T;
  }

  return { run, json };
}
