/** Verifies that a message comes from Stripe, and reads what kind it is. */

import Stripe from 'stripe';
import type { NewWebhook, ReadWebhook } from '../domain/webhook.js';
import type { Clock } from '../lib/host.js';

/** Stripe's own default; only age is checked (stripe-facts 6). */
const toleranceSeconds = 300;

/** Makes a verifier for messages signed with any of the secrets: several while one is rotated, and one per endpoint. */
export function createWebhookReader(secrets: readonly string[], clock: Clock): ReadWebhook {
  const { signature } = Stripe.webhooks;
  return (body, header) => {
    const verified = secrets.some((secret) => {
      try {
        return signature?.verifyHeader(body, header, secret, toleranceSeconds, undefined, clock.nowMs());
      } catch {
        // The SDK has an error of its own for a wrong signature, and plain ones for a header that is garbage.
        return false;
      }
    });
    return verified ? read(body) : 'unsigned';
  };
}

/** Snapshot and thin messages share the signature scheme; their `object` tells them apart (stripe-facts 6). */
function read(body: Uint8Array): NewWebhook | 'unreadable' {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    const event: unknown = JSON.parse(text);
    if (typeof event !== 'object' || event === null) return 'unreadable';
    const { id, object, type, created } = event as Record<string, unknown>;
    if (typeof id !== 'string' || typeof type !== 'string') return 'unreadable';
    if (object === 'event' && Number.isSafeInteger(created)) {
      return {
        id,
        kind: 'snapshot',
        type,
        body: text,
        createdAtMs: Number(created) * 1000,
        source: 'webhook',
      };
    }
    const createdAtMs = Date.parse(String(created));
    if (object !== 'v2.core.event' || Number.isNaN(createdAtMs)) return 'unreadable';
    return { id, kind: 'thin', type, body: text, createdAtMs, source: 'webhook' };
  } catch {
    return 'unreadable';
  }
}
