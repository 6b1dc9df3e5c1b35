/** Alerts as a program that is run for each: without a shell, with the message on its stdin. */

import { spawn } from 'node:child_process';
import type { DeliverAlert } from './webhook-sink.js';

/** A program that has not ended by then is killed. */
const timeoutMs = 30_000;

/** So much of what it complains of is kept. */
const complaintMax = 500;

/** Runs the program with its arguments; ending with 0 means that the message was taken. */
export function createCommandSink(command: readonly string[], limitMs = timeoutMs): DeliverAlert {
  const [program = '', ...args] = command;
  return (id, message) =>
    new Promise((resolve, reject) => {
      const stdio = ['pipe', 'ignore', 'pipe'] as const;
      const child = spawn(program, args, { stdio: [...stdio], timeout: limitMs, killSignal: 'SIGKILL' });
      let complaint = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        complaint = `${complaint}${text}`.slice(0, complaintMax);
      });
      // A program need not read what it is given.
      child.stdin.on('error', () => undefined).end(`${JSON.stringify({ id, ...message })}\n`);
      child.on('error', (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
      child.on('close', (code, signal) => {
        if (code === 0) return resolve();
        const how = code === null ? `was ended by ${signal}` : `ended with ${code}`;
        reject(new Error(`${program} ${how}${complaint === '' ? '' : `: ${complaint.trim()}`}`));
      });
    });
}
