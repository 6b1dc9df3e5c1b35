/** What an emulator does unasked: sends webhooks, bills what has fallen due, reports wrong meter events. */

import { type Closable, createClosers } from '../lib/closers.js';
import { createLoop } from '../lib/loop.js';
import { runDue } from './billing/advance.js';
import { createWebhookSender, type SenderOptions } from './events/webhook-sender.js';
import { reportMeterErrors } from './meters/meter-error-reports.js';

/** Background work. Nothing runs before `start`. */
export interface Background extends Closable {
  start(): void;
  /** Sends webhooks now, not at the end of the present pause. */
  wake(): void;
  /** One round of everything. */
  tick(): Promise<void>;
  close(): Promise<void>;
}

/** Webhooks of this process go out at once; those that other processes have queued wait for this pause. */
const webhookIntervalMs = 250;
const reportIntervalMs = 1000;
const billingIntervalMs = 1000;

/** Makes the background work of an account. */
export function createBackground(options: SenderOptions): Background {
  const { account, host } = options;
  const sender = createWebhookSender(options);
  const loop = (name: string, intervalMs: number, tick: (signal: AbortSignal) => Promise<void>) =>
    createLoop({ name, clock: host.clock, log: host.log, intervalMs, tick });
  const webhooks = loop('sending webhooks', webhookIntervalMs, sender.tick);
  const reports = loop(
    'reporting meter errors',
    reportIntervalMs,
    async () => void reportMeterErrors(account),
  );
  const billing = loop('billing', billingIntervalMs, async () => void runDue(account));
  const loops = [webhooks, reports, billing];
  return {
    start: () => loops.forEach((each) => void each.start()),
    wake: webhooks.wake,
    async tick() {
      runDue(account);
      reportMeterErrors(account);
      await sender.tick(new AbortController().signal);
    },
    async close() {
      const closers = createClosers();
      for (const each of loops) closers.add(each);
      await closers.close();
    },
  };
}
