/** A process of the real program that listens, and that can be killed at any moment. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../bin/meterctl.js', import.meta.url));

/** The end of what it wrote to stderr is kept. */
const keptCharacters = 4_000;

/** A running process. */
export interface Listener {
  /** Resolves with its address once it listens, with `undefined` when it ended before. */
  readonly listening: Promise<string | undefined>;
  /** Sends the signal and waits for the end; tolerates being called again. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** The last that it said on stderr. */
  lastWords(): string;
}

/** Starts `meterctl …args --json` in a folder. */
export function startListener(folder: string, args: string[], env: Record<string, string> = {}): Listener {
  const child = spawn(process.execPath, [bin, ...args, '--json'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString('utf8')).slice(-keptCharacters);
  });
  return {
    listening: Promise.race([readUrl(child), closed.then(() => undefined)]),
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await closed;
    },
    lastWords: () => words,
  };
}

/** The first line on stdout names the address. */
function readUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const line = /^(.*)\n/.exec(text)?.[1];
      // The program's own first line, as the contract has it.
      if (line !== undefined) resolve((JSON.parse(line) as { url: string }).url);
    });
  });
}
