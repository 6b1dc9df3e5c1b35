/** `POST /v1/billing/meter_events` and its adjustments (stripe-facts 3a, 3b). */

import type Stripe from 'stripe';
import { z } from 'zod';
import { ApiError, missing } from '../api-error.js';
import { integer, oneOf, text } from '../parameters.js';
import { type Route, route } from '../router.js';
import { cancelEvent } from './cancellation.js';
import { examine, type Mistake, recordExamined } from './examination.js';

/** What v1 refuses at once. The rest is answered with 200 and reported later. */
const refusedAtOnce: ReadonlySet<Mistake> = new Set([
  'no_meter',
  'archived_meter',
  'too_old',
  'too_new',
  'invalid_value',
  'too_many_digits',
  'duplicate',
]);

const blamed: Partial<Record<Mistake, string>> = {
  no_meter: 'event_name',
  archived_meter: 'event_name',
  too_old: 'timestamp',
  too_new: 'timestamp',
};

/** The customer of a payload, whichever key it stands under. */
export function customerIn(payload: Record<string, string>): string {
  return Object.values(payload).find((value) => value.startsWith('cus_')) ?? '';
}

/** Meter events of v1. */
export const meterEventRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/billing/meter_events',
    parameters: z.strictObject({
      event_name: text({ max: 100 }),
      identifier: text({ max: 100 }).optional(),
      payload: z.record(z.string(), z.string()),
      timestamp: integer({ min: 0 }).optional(),
    }),
    exclusive: ({ event_name: name, payload }) => `${name} ${customerIn(payload)}`,
    handle(account, { idempotencyKey, parameters }): Stripe.Billing.MeterEvent {
      const examined = examine(account, {
        eventName: parameters.event_name,
        payload: parameters.payload,
        identifier: parameters.identifier,
        timestampSec: parameters.timestamp,
        requestKey: idempotencyKey,
      });
      const refused = examined.findings.find(({ mistake }) => refusedAtOnce.has(mistake));
      if (refused) {
        const param = blamed[refused.mistake];
        throw new ApiError(refused.message, param ? { param } : {});
      }
      recordExamined(account, examined);
      const { event } = examined;
      return {
        object: 'billing.meter_event',
        created: event.receivedSec,
        event_name: event.eventName,
        identifier: event.identifier,
        livemode: false,
        payload: event.payload,
        timestamp: event.timestampSec,
      };
    },
  }),
  route({
    method: 'post',
    path: '/v1/billing/meter_event_adjustments',
    parameters: z.strictObject({
      cancel: z.strictObject({ identifier: text({ max: 100 }).optional() }).optional(),
      event_name: text({ max: 100 }),
      type: oneOf(['cancel']),
    }),
    handle(account, { parameters }): Stripe.Billing.MeterEventAdjustment {
      const { cancel, event_name: eventName } = parameters;
      if (!cancel) throw missing('cancel');
      if (cancel.identifier === undefined) throw missing('cancel[identifier]');
      cancelEvent(account, eventName, cancel.identifier);
      return {
        object: 'billing.meter_event_adjustment',
        cancel: { identifier: cancel.identifier },
        event_name: eventName,
        livemode: false,
        status: 'pending',
        type: 'cancel',
      };
    },
  }),
];
