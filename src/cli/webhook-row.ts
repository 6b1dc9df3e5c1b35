/** A message from Stripe as the command line shows it. */

import { MeterctlError } from '../domain/error.js';
import type { Webhook } from '../domain/webhook.js';
import { rfc3339 } from '../lib/rfc3339.js';
import { paintStatus } from '../terminal/paint.js';
import { pairsText } from '../terminal/table.js';
import { timeText } from '../terminal/time.js';
import type { Context } from './context.js';

/** The message as scripts read it in a list, without its body. */
export function webhookJson(webhook: Webhook) {
  const waits = webhook.state === 'received';
  return {
    id: webhook.id,
    type: webhook.type,
    kind: webhook.kind,
    source: webhook.source,
    state: webhook.state,
    created_at: rfc3339(webhook.createdAtMs),
    received_at: rfc3339(webhook.receivedAtMs),
    applied_at: webhook.appliedAtMs === null ? null : rfc3339(webhook.appliedAtMs),
    attempts: webhook.attempts,
    next_attempt_at: waits ? rfc3339(webhook.nextAttemptAtMs) : null,
    reason: webhook.reason,
  };
}

/** The message with this event id. Throws `not_found`. */
export async function findWebhook(context: Context, id: string): Promise<Webhook> {
  const webhook = await (await context.store()).findWebhook(id);
  if (webhook) return webhook;
  throw new MeterctlError('not_found', `There is no message ${id} in the inbox.`, {
    hint: 'Stripe may have it: meterctl webhooks sync',
  });
}

/** Shows one message with its body. */
export function showWebhook(context: Context, webhook: Webhook, nowMs: number): void {
  const { stdout } = context.terminal;
  const row = webhookJson(webhook);
  const body: unknown = JSON.parse(webhook.body);
  context.show({
    json: () => ({ ...row, body }),
    text: () => {
      const pairs = pairsText(stdout, [
        ['id', row.id],
        ['type', row.type],
        ['state', { text: row.state, paint: (text) => paintStatus(context.paint, text) }],
        ['came as', `${row.kind}, by ${row.source}`],
        ['created', timeText(stdout, webhook.createdAtMs, nowMs)],
        ['received', timeText(stdout, webhook.receivedAtMs, nowMs)],
        ['applied', webhook.appliedAtMs === null ? undefined : timeText(stdout, webhook.appliedAtMs, nowMs)],
        ['attempts', String(row.attempts)],
        ['next attempt', row.next_attempt_at ?? undefined],
        ['reason', row.reason ?? undefined],
      ]);
      return `${pairs}\n\n${JSON.stringify(body, null, 2)}`;
    },
  });
}
