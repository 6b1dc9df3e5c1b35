/** The inbox: what Stripe says is stored before it is acknowledged, and acted on afterwards. */

import type { WebhookStore } from '../domain/store.js';
import type { ReadWebhook, Webhook } from '../domain/webhook.js';
import type { Host } from '../lib/host.js';
import { createLoop } from '../lib/loop.js';
import { type EventTarget, eventTarget } from './event-target.js';

const intervalMs = 1_000;
const batchMax = 50;
const attemptsMax = 12;
const backoffCeilingMs = 10 * 60_000;

/** What came of a message that arrived. */
export type Receipt = 'first' | 'seen' | 'unsigned' | 'unreadable';

/** Receives and applies Stripe's messages. */
export interface Inbox {
  start(): void;
  /** Verifies and stores a raw body. Resolves once it is durable. */
  receive(body: Uint8Array, signature: string): Promise<Receipt>;
  /** Applies what is due, each message on its own: one that fails never holds up the others. What tests call. */
  tick(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Makes an inbox; `apply` acts on one message and may be called again for the same one. */
export function createInbox(deps: {
  store: WebhookStore;
  host: Host;
  read: ReadWebhook;
  apply(target: EventTarget): Promise<void>;
}): Inbox {
  const { store, host } = deps;

  async function applyOne(webhook: Webhook): Promise<void> {
    try {
      await deps.apply(eventTarget(webhook));
      await store.settleWebhook(webhook.id, { kind: 'applied', atMs: host.clock.nowMs() });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const attempts = webhook.attempts + 1;
      host.log.warn('a message from Stripe could not be applied', {
        id: webhook.id,
        type: webhook.type,
        reason,
        attempts,
      });
      const waitMs = Math.min(backoffCeilingMs, 1_000 * 2 ** attempts);
      await store.settleWebhook(
        webhook.id,
        attempts < attemptsMax
          ? { kind: 'retry', atMs: host.clock.nowMs() + waitMs, reason }
          : { kind: 'failed', reason },
      );
    }
  }

  async function tick(signal: AbortSignal): Promise<void> {
    const due = await store.listDueWebhooks(host.clock.nowMs(), batchMax);
    for (const webhook of due) {
      if (signal.aborted) return;
      await applyOne(webhook);
    }
  }

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
    tick,
    close: () => loop.close(),
  };
}
