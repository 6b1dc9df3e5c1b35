/** Alerts as a program that is run for each: without a shell, with the message on its stdin. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Clock } from '../lib/host.js';
import type { DeliverAlert } from './webhook-sink.js';
import { withTimeout } from './with-timeout.js';

/** A program that has not ended by then is killed. */
const timeoutMs = 30_000;

/** So much of what it complains of is kept. */
const complaintMax = 500;

/** What it complained of may still be on its way when it has ended; what it has left running may hold the pipe for long. */
const complaintWaitMs = 1_000;

/** Runs the program with its arguments; ending with 0 means that the message was taken. */
export function createCommandSink(
  command: readonly string[],
  clock: Clock,
  limitMs = timeoutMs,
): DeliverAlert {
  const [program = '', ...args] = command;
  return (id, message, closing) => {
    async function run(signal: AbortSignal): Promise<void> {
      const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
      signal.addEventListener('abort', () => child.kill('SIGKILL'));
      let complaint = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        complaint = `${complaint}${text}`.slice(0, complaintMax);
      });
      // A program need not read what it is given.
      child.stdin.on('error', () => undefined).end(`${JSON.stringify({ id, ...message })}\n`);
      try {
        const how = await endOf(child, program);
        if (how === undefined) return;
        if (!child.stderr.closed)
          await withTimeout(clock, complaintWaitMs, (late) => closed(child.stderr, late));
        throw new Error(`${program} ${how}${complaint === '' ? '' : `: ${complaint.trim()}`}`);
      } finally {
        child.stderr.destroy();
      }
    }
    return withTimeout(clock, limitMs, run, closing);
  };
}

/** How it has ended, if not well. */
function endOf(child: ChildProcess, program: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
    child.on('exit', (code, signal) => {
      if (code === 0) return resolve(undefined);
      resolve(code === null ? `was ended by ${signal}` : `ended with ${code}`);
    });
  });
}

/** Resolves when the stream is closed, or the signal aborts. */
async function closed(stream: Readable, signal: AbortSignal): Promise<void> {
  await once(stream, 'close', { signal }).catch(() => undefined);
}
