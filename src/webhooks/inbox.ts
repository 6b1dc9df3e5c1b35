/** The inbox: what Stripe says is stored before it is acknowledged, and acted on afterwards. */

import type { ReadWebhook } from '../domain/webhook.js';
import { createLoop } from '../lib/loop.js';
import { createDueWork } from './apply-due.js';
import type { ApplyDeps } from './apply-messages.js';

const intervalMs = 1_000;

/** How long the end waits for what is being applied; the rest is applied after the next start. */
const closeGraceMs = 5_000;

/** What came of a message that arrived. */
export type Receipt = 'first' | 'seen' | 'unsigned' | 'unreadable';

/** Receives and applies Stripe's messages. */
export interface Inbox {
  start(): void;
  /** Verifies and stores a raw body. Resolves once it is durable. */
  receive(body: Uint8Array, signature: string): Promise<Receipt>;
  /** Applies what is due, each target on its own, until there is no more. What tests call. */
  tick(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Makes an inbox. */
export function createInbox(deps: ApplyDeps & { read: ReadWebhook }): Inbox {
  const { store, host } = deps;
  const due = createDueWork(deps, () => loop.wake());
  // The loop does not wait for what it begins, so that a slow target never sets its pace.
  const tick = (signal: AbortSignal) => due.begin(signal);
  const loop = createLoop({ name: 'inbox', clock: host.clock, log: host.log, intervalMs, tick });
  return {
    start: () => loop.start(),
    async receive(body, signature) {
      const webhook = deps.read(body, signature);
      if (typeof webhook === 'string') return webhook;
      const receipt = await store.recordWebhook(webhook, host.clock.nowMs());
      if (receipt === 'first') loop.wake();
      return receipt;
    },
    async tick(signal) {
      await due.drain(signal);
    },
    async close() {
      await loop.close();
      const ended = new AbortController();
      await Promise.race([due.idle(), host.clock.sleep(closeGraceMs, ended.signal)]);
      ended.abort();
    },
  };
}
