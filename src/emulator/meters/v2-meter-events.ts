/** `/v2/billing/meter_events`, its adjustments and the stream (stripe-facts 3c, 3e). */

import type Stripe from 'stripe';
import { z } from 'zod';
import { ApiError } from '../api-error.js';
import { isoTime } from '../events/event-log.js';
import { type Route, route } from '../router.js';
import { cancelEvent } from './cancellation.js';
import { examine, type Mistake, recordExamined, type Submission } from './examination.js';
import { customerIn } from './meter-events.js';

const eventSchema = z.strictObject({
  event_name: z.string().min(1).max(100),
  identifier: z.string().min(1).max(100).optional(),
  payload: z.record(z.string(), z.string()),
  timestamp: z.iso.datetime({ offset: true }).optional(),
});

/** The codes of what v2 refuses at once. An unknown customer is reported later here too. */
const codes: Partial<Record<Mistake, string>> = {
  no_meter: 'no_meter',
  archived_meter: 'archived_meter',
  too_old: 'timestamp_too_far_in_past',
  too_new: 'timestamp_in_future',
  no_customer: 'payload_no_customer_defined',
  no_value: 'payload_no_value_defined',
  invalid_value: 'payload_invalid_value',
  too_many_digits: 'payload_invalid_value',
  duplicate: 'duplicate_meter_event',
};

function submission(event: z.output<typeof eventSchema>, requestKey: string | undefined): Submission {
  return {
    eventName: event.event_name,
    payload: event.payload,
    identifier: event.identifier,
    timestampSec: event.timestamp === undefined ? undefined : Math.floor(Date.parse(event.timestamp) / 1000),
    requestKey,
  };
}

/** Meter events of v2. */
export const v2MeterEventRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v2/billing/meter_events',
    parameters: eventSchema,
    exclusive: ({ event_name: name, payload }) => `${name} ${customerIn(payload)}`,
    handle(account, { idempotencyKey, parameters }): Stripe.V2.Billing.MeterEvent {
      const examined = examine(account, submission(parameters, idempotencyKey));
      for (const { mistake, message } of examined.findings) {
        const code = codes[mistake];
        if (code) throw new ApiError(message, { code });
      }
      recordExamined(account, examined);
      const { event } = examined;
      return {
        object: 'v2.billing.meter_event',
        created: isoTime(event.receivedSec),
        event_name: event.eventName,
        identifier: event.identifier,
        livemode: false,
        payload: event.payload,
        timestamp: isoTime(event.timestampSec),
      };
    },
  }),
  route({
    method: 'post',
    path: '/v2/billing/meter_event_adjustments',
    parameters: z.strictObject({
      cancel: z.strictObject({ identifier: z.string().min(1).max(100) }),
      event_name: z.string().min(1).max(100),
      type: z.literal('cancel'),
    }),
    handle(account, { parameters }): Stripe.V2.Billing.MeterEventAdjustment {
      cancelEvent(account, parameters.event_name, parameters.cancel.identifier);
      return {
        id: account.newId('mtr_adj_test'),
        object: 'v2.billing.meter_event_adjustment',
        cancel: parameters.cancel,
        created: isoTime(account.clock.nowSec()),
        event_name: parameters.event_name,
        livemode: false,
        status: 'pending',
        type: 'cancel',
      };
    },
  }),
  route({
    method: 'post',
    path: '/v2/billing/meter_event_stream',
    auth: 'meter_event_session',
    parameters: z.strictObject({
      events: z.array(eventSchema).min(1).max(100, 'You may only specify up to 100 events.'),
    }),
    handle(account, { parameters }) {
      // Nothing is refused at once here: every mistake is reported later, and a duplicate is dropped.
      for (const event of parameters.events) {
        recordExamined(account, examine(account, submission(event, event.identifier)));
      }
      return {};
    },
  }),
];
