/** What a stored message is about. The object inside is never believed: it only names what to ask Stripe for. */

import type { Webhook } from '../domain/webhook.js';

/** What a message asks us to look at. */
export type EventTarget =
  | { kind: 'customer'; customerId: string }
  | { kind: 'checkout'; sessionId: string }
  /** Usage that was accepted has been rejected: the event behind this id says which. */
  | { kind: 'meter_rejections'; eventId: string }
  /** Nothing to do: stored and acknowledged. */
  | { kind: 'none' };

/** Reads the target of a message. */
export function eventTarget(webhook: Pick<Webhook, 'id' | 'kind' | 'type' | 'body'>): EventTarget {
  if (webhook.kind === 'thin') {
    const rejection = /^v1\.billing\.meter\.(error_report_triggered|no_meter_found)$/.test(webhook.type);
    return rejection ? { kind: 'meter_rejections', eventId: webhook.id } : { kind: 'none' };
  }
  const object = objectOf(JSON.parse(webhook.body));
  if (webhook.type.startsWith('checkout.session.'))
    return named(object.id, (sessionId) => ({ kind: 'checkout', sessionId }));
  if (webhook.type.startsWith('customer.subscription.') || webhook.type.startsWith('invoice.')) {
    return named(object.customer, (customerId) => ({ kind: 'customer', customerId }));
  }
  if (/^customer\.(updated|deleted)$/.test(webhook.type)) {
    return named(object.id, (customerId) => ({ kind: 'customer', customerId }));
  }
  return { kind: 'none' };
}

function named(id: unknown, target: (id: string) => EventTarget): EventTarget {
  return typeof id === 'string' ? target(id) : { kind: 'none' };
}

function objectOf(event: unknown): Record<string, unknown> {
  const { data } = event as { data?: { object?: unknown } };
  return typeof data?.object === 'object' && data.object !== null
    ? (data.object as Record<string, unknown>)
    : {};
}
