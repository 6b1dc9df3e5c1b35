/** A terminal in memory: what is written to it can be read, and it can play a person's screen. */

import { PassThrough, Readable } from 'node:stream';
import { createTerminal, type Terminal } from '../../src/terminal/terminal.js';

export interface MemoryTerminal extends Terminal {
  /** Everything written so far. */
  out(): string;
  err(): string;
}

/** Makes one. `tty` plays a person's terminal; `input` is what comes in on stdin. */
export function createMemoryTerminal(
  options: { tty?: boolean; input?: string; columns?: number; env?: Record<string, string> } = {},
): MemoryTerminal {
  const tty = options.tty ?? false;
  const columns = options.columns ?? 100;
  const stdout = Object.assign(new PassThrough(), { isTTY: tty, columns });
  const stderr = Object.assign(new PassThrough(), { isTTY: tty, columns });
  const stdin = Object.assign(Readable.from([options.input ?? '']), { isTTY: tty });
  const texts = { out: '', err: '' };
  stdout.on('data', (chunk) => {
    texts.out += String(chunk);
  });
  stderr.on('data', (chunk) => {
    texts.err += String(chunk);
  });
  const terminal = createTerminal({ stdin, stdout, stderr }, options.env ?? { NO_COLOR: '1' });
  return Object.assign(terminal, { out: () => texts.out, err: () => texts.err });
}
