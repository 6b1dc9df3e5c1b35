/** What a stored message is about. The object inside is never believed: it only names what to ask Stripe for. */

import type { Webhook } from '../domain/webhook.js';

/** What a message asks us to look at. */
export type EventTarget =
  /** `subscriptionId` is one of the customer's that is sure to exist. */
  | { kind: 'customer'; customerId: string; subscriptionId?: string }
  /** `failed`: the delayed payment of the session has failed for good, which its fields do not tell. */
  | { kind: 'checkout'; sessionId: string; failed: boolean }
  /** Usage that was accepted has been rejected: the event behind this id says which. */
  | { kind: 'meter_rejections'; eventId: string }
  /** Nothing to do: stored and acknowledged. */
  | { kind: 'none' };

/** Reads the target of a message. */
export function eventTarget(webhook: Pick<Webhook, 'id' | 'kind' | 'type' | 'body'>): EventTarget {
  const { id, kind, type, body } = webhook;
  if (kind === 'thin') {
    const rejection = /^v1\.billing\.meter\.(error_report_triggered|no_meter_found)$/.test(type);
    return rejection ? { kind: 'meter_rejections', eventId: id } : { kind: 'none' };
  }
  const object = objectOf(JSON.parse(body));
  if (type.startsWith('checkout.session.')) {
    const failed = type === 'checkout.session.async_payment_failed';
    return named(object.id, (sessionId) => ({ kind: 'checkout', sessionId, failed }));
  }
  if (type.startsWith('customer.subscription.')) {
    const known = typeof object.id === 'string' ? { subscriptionId: object.id } : {};
    return named(object.customer, (customerId) => ({ kind: 'customer', customerId, ...known }));
  }
  if (type.startsWith('invoice.')) {
    return named(object.customer, (customerId) => ({ kind: 'customer', customerId }));
  }
  if (/^customer\.(updated|deleted)$/.test(type)) {
    return named(object.id, (customerId) => ({ kind: 'customer', customerId }));
  }
  return { kind: 'none' };
}

function named(id: unknown, target: (id: string) => EventTarget): EventTarget {
  return typeof id === 'string' && id !== '' ? target(id) : { kind: 'none' };
}

function objectOf(event: unknown): Record<string, unknown> {
  const { data } = event as { data?: { object?: unknown } };
  return typeof data?.object === 'object' && data.object !== null
    ? (data.object as Record<string, unknown>)
    : {};
}
