/** Emitting events: the record of what happened, and its copies to everybody who asked for them. */

import type { Account, Cause } from '../account.js';
import { type Expansions, render } from '../expand.js';
import type { Stored, StoredThinEvent } from '../object-kinds.js';
import type { DeliveryQueue } from './delivery-queue.js';
import { thinEventTypes } from './event-types.js';

/** The API version this emulator speaks, and renders events in. */
export const apiVersion = '2026-10-28.endive';

/** Where Stripe serves an object of each type; thin events name it. */
const resourcePaths: Record<string, string> = {
  'billing.meter': '/v1/billing/meters',
  'billing_portal.configuration': '/v1/billing_portal/configurations',
  'checkout.session': '/v1/checkout/sessions',
  customer: '/v1/customers',
  invoice: '/v1/invoices',
  invoiceitem: '/v1/invoiceitems',
  payment_intent: '/v1/payment_intents',
  payment_method: '/v1/payment_methods',
  price: '/v1/prices',
  product: '/v1/products',
  setup_intent: '/v1/setup_intents',
  subscription: '/v1/subscriptions',
  'test_helpers.test_clock': '/v1/test_helpers/test_clocks',
};

/** What happened. */
export interface Happening {
  type: string;
  object: { id: string; object: string };
  previousAttributes: object | undefined;
}

/** Writes the snapshot event and its thin sibling, and queues both. Runs inside the caller's transaction. */
export function recordEvent(
  account: Account,
  queue: DeliveryQueue,
  expansions: Expansions,
  cause: Cause | undefined,
  { type, object, previousAttributes }: Happening,
): void {
  const event: Stored<'event'> = {
    id: account.newId('evt'),
    object: 'event',
    api_version: apiVersion,
    created: account.clock.nowSec(),
    data: {
      object: render(account, object, [], expansions),
      ...(previousAttributes ? { previous_attributes: previousAttributes } : {}),
    },
    livemode: false,
    pending_webhooks: 0,
    request: cause
      ? { id: cause.id, idempotency_key: cause.idempotencyKey ?? null }
      : { id: null, idempotency_key: null },
    // Callers name types of Stripe's list; the declared union is closed, the wire is not.
    type: type as Stored<'event'>['type'],
  };
  account.objects.put('event', event);
  queue.add('event', event.id, type);

  const thinType = `v1.${type}`;
  const path = resourcePaths[object.object];
  if (!thinEventTypes.has(thinType) || path === undefined) return;
  recordThinEvent(account, queue, cause, {
    type: thinType,
    related_object: { id: object.id, type: object.object, url: `${path}/${object.id}` },
    snapshot_event: event.id,
  });
}

/** Writes and queues a thin event. Runs inside the caller's transaction. */
export function recordThinEvent(
  account: Account,
  queue: DeliveryQueue,
  cause: Cause | undefined,
  event: Pick<StoredThinEvent, 'type' | 'related_object' | 'data' | 'snapshot_event'>,
): StoredThinEvent {
  const recorded = account.objects.put('thin_event', {
    id: account.newId('evt_test'),
    object: 'v2.core.event',
    created: isoTime(account.clock.nowSec()),
    livemode: false,
    ...(cause
      ? {
          reason: {
            type: 'request',
            request: { id: cause.id, idempotency_key: cause.idempotencyKey ?? '' },
          },
        }
      : {}),
    ...event,
  });
  queue.add('thin_event', recorded.id, event.type, event.snapshot_event !== undefined);
  return recorded;
}

/** A time as v2 writes it: RFC 3339 UTC with milliseconds. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
