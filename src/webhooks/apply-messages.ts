/** Acts on stored messages and writes down what came of it. */

import { MeterctlError } from '../domain/error.js';
import type { WebhookOutcome, WebhookStore } from '../domain/store.js';
import type { Webhook } from '../domain/webhook.js';
import type { Host } from '../lib/host.js';
import { turn } from '../lib/turn.js';
import type { EventTarget } from './event-target.js';

/** After so many attempts a message is given up, unless it was only Stripe that could not be asked. */
const attemptsMax = 12;

const backoffCeilingMs = 10 * 60_000;

/** What applying needs. */
export interface ApplyDeps {
  store: WebhookStore;
  host: Host;
  /** Acts on what messages name. It may be called again for the same target, at any time. */
  apply(target: EventTarget): Promise<void>;
}

/**
 * Applies messages that are all about the same target: one look at Stripe serves them all, because it comes after the last of
 * them. Returns the error if there was one; the messages are then tried again later.
 */
export async function applyMessages(
  { store, host, apply }: ApplyDeps,
  target: EventTarget,
  messages: readonly Webhook[],
): Promise<unknown> {
  try {
    await apply(target);
  } catch (error) {
    await putOff({ store, host }, messages, error);
    return error;
  }
  for (const { id } of messages)
    await settle({ store, host }, id, { kind: 'applied', atMs: host.clock.nowMs() });
  return undefined;
}

/** Puts messages off after an error: each waits longer with every attempt. */
export async function putOff(
  { store, host }: Pick<ApplyDeps, 'store' | 'host'>,
  messages: readonly Webhook[],
  error: unknown,
): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  for (const { id, type, attempts } of messages) {
    const outcome = outcomeOf(error, reason, attempts, host.clock.nowMs());
    if (outcome.kind === 'failed')
      host.log.error('a message from Stripe was given up: see meterctl webhooks list --state failed', {
        ...{ id, type, attempts, reason },
      });
    else host.log.warn('a message from Stripe could not be applied yet', { id, type, attempts, reason });
    await settle({ store, host }, id, outcome);
  }
}

/** Each is a commit; other work runs in between, because paid calls must not wait behind all that one target has. */
async function settle(
  { store, host }: Pick<ApplyDeps, 'store' | 'host'>,
  id: string,
  outcome: WebhookOutcome,
): Promise<void> {
  await store.settleWebhook(id, outcome);
  await turn(host.clock);
}

function outcomeOf(error: unknown, reason: string, attempts: number, nowMs: number): WebhookOutcome {
  // An outage says nothing about the message, however long it lasts.
  const outage =
    error instanceof MeterctlError && (error.code === 'unavailable' || error.code === 'unauthorized');
  if (!outage && attempts >= attemptsMax) return { kind: 'failed', reason };
  return { kind: 'retry', atMs: nowMs + Math.min(backoffCeilingMs, 1_000 * 2 ** attempts), reason };
}
