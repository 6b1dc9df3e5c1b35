/** Alerts as outgoing webhooks, signed as Standard Webhooks says; the one home of that package. */

import { Webhook } from 'standardwebhooks';
import type { Host } from '../lib/host.js';
import type { AlertMessage } from './alert-message.js';
import { withTimeout } from './with-timeout.js';

/** A receiver that has not answered by then is asked again later. */
const timeoutMs = 15_000;

/** Delivers one message, once. Resolves when it was taken; rejects with the reason when it was not, soon once `closing` aborts. */
export type DeliverAlert = (id: string, message: AlertMessage, closing?: AbortSignal) => Promise<void>;

/**
 * Posts to `url`. The id is the same for every attempt, so that the receiver can tell a repeat; the timestamp is that of the
 * attempt, by the machine's own clock, because receivers refuse what is minutes away from theirs.
 */
export function createWebhookSink(
  { url, secret }: { url: string; secret: string },
  { clock, fetch }: Pick<Host, 'clock' | 'fetch'>,
): DeliverAlert {
  const webhook = new Webhook(secret);
  return async (id, message, closing) => {
    const body = JSON.stringify(message);
    const at = new Date(clock.nowMs());
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': webhook.sign(id, at, body),
    };
    const post = (signal: AbortSignal) =>
      // A redirect would take the message somewhere that nobody has chosen.
      fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' }).catch(unreached);
    const answer = await withTimeout(clock, timeoutMs, post, closing);
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`the receiver answered ${answer.status}`);
  };
}

/** Says why: fetch itself tells no more than that it failed. */
function unreached(error: Error & { cause?: Partial<NodeJS.ErrnoException> }): never {
  const why = error.cause?.message || error.cause?.code;
  throw why === undefined ? error : new Error(`the receiver cannot be reached: ${why}`, { cause: error });
}
