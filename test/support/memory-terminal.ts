/** A terminal in memory: what is written to it can be read, and it can play a person's screen. */

import { PassThrough, Readable } from 'node:stream';
import { createTerminal, type Terminal } from '../../src/terminal/terminal.js';

export interface MemoryTerminal extends Terminal {
  /** Everything written so far. */
  out(): string;
  err(): string;
}

/** What a person types once a question stands on the screen: `\r` is Enter, `\x03` Ctrl-C. */
export type Typing = readonly (readonly [question: string, keys: string])[];

/** Makes one. `tty` plays a person's terminal; `input` is what comes in on stdin, or `typing` a person at the keyboard. */
export function createMemoryTerminal(
  options: {
    tty?: boolean;
    input?: string;
    typing?: Typing;
    columns?: number;
    env?: Record<string, string>;
  } = {},
): MemoryTerminal {
  const tty = options.tty ?? false;
  const columns = options.columns ?? 100;
  const stdout = Object.assign(new PassThrough(), { isTTY: tty, columns });
  // As with a process's own stderr, a prompt that has ended does not end it.
  const stderr = Object.assign(new PassThrough(), { isTTY: tty, columns, end: () => stderr });
  const keyboard = new PassThrough();
  const input = options.typing ? keyboard : Readable.from([options.input ?? '']);
  const stdin = Object.assign(input, { isTTY: tty });
  const waiting = [...(options.typing ?? [])];
  const texts = { out: '', err: '' };
  stdout.on('data', (chunk) => {
    texts.out += String(chunk);
  });
  stderr.on('data', (chunk) => {
    texts.err += String(chunk);
    // A question is drawn more than once; it is answered when it is drawn first.
    const next = waiting[0];
    if (!next || !texts.err.includes(next[0])) return;
    waiting.shift();
    setImmediate(() => keyboard.write(next[1]));
  });
  const terminal = createTerminal({ stdin, stdout, stderr }, options.env ?? { NO_COLOR: '1' });
  return Object.assign(terminal, { out: () => texts.out, err: () => texts.err });
}
