/** `/v1/billing/meters` (stripe-facts 2). */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, notFound } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { listObjects, pageParameters } from '../pagination.js';
import { oneOf, text } from '../parameters.js';
import { type Route, route } from '../router.js';
import { updateObject } from '../update-object.js';

const createParameters = z.strictObject({
  customer_mapping: z
    .strictObject({ event_payload_key: text({ max: 100 }), type: oneOf(['by_id']) })
    .optional(),
  default_aggregation: z.strictObject({ formula: oneOf(['count', 'last', 'sum']) }),
  display_name: text({ max: 250 }),
  event_name: text({ max: 100 }),
  event_time_window: oneOf(['day', 'hour']).optional(),
  value_settings: z.strictObject({ event_payload_key: text({ max: 100 }) }).optional(),
});

function createMeter(account: Account, parameters: z.output<typeof createParameters>): Stored<'meter'> {
  const { event_name: eventName } = parameters;
  if (meterOfEvents(account, eventName)) {
    throw new ApiError(`There is already a meter with the event name "${eventName}".`, {
      param: 'event_name',
    });
  }
  const now = account.clock.nowSec();
  const meter = account.objects.put('meter', {
    id: account.newId('mtr_test'),
    object: 'billing.meter',
    created: now,
    customer_mapping: parameters.customer_mapping ?? {
      event_payload_key: 'stripe_customer_id',
      type: 'by_id',
    },
    default_aggregation: parameters.default_aggregation,
    display_name: parameters.display_name,
    event_name: eventName,
    event_time_window: parameters.event_time_window ?? null,
    livemode: false,
    status: 'active',
    status_transitions: { deactivated_at: null },
    updated: now,
    value_settings: parameters.value_settings ?? { event_payload_key: 'value' },
  });
  account.emit('billing.meter.created', meter);
  return meter;
}

/** The meter, active or not, that listens to events of a name. A name belongs to one meter for ever. */
export function meterOfEvents(account: Account, eventName: string): Stored<'meter'> | undefined {
  return account.objects.all('meter', { fields: { event_name: eventName } })[0];
}

/** The meter of a path. Throws 404. */
export function meterOf(account: Account, id: string): Stored<'meter'> {
  const meter = account.objects.get('meter', id);
  if (!meter) throw notFound('meter', id);
  return meter;
}

function switchMeter(account: Account, id: string, status: 'active' | 'inactive'): Stored<'meter'> {
  const before = meterOf(account, id);
  if (before.status === status) return before;
  const now = account.clock.nowSec();
  const after = account.objects.put('meter', {
    ...before,
    status,
    status_transitions: { deactivated_at: status === 'inactive' ? now : null },
    updated: now,
  });
  account.emit(status === 'inactive' ? 'billing.meter.deactivated' : 'billing.meter.reactivated', after);
  return after;
}

/** Meters. */
export const meterRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/billing/meters',
    parameters: createParameters,
    handle: (account, { parameters }) => createMeter(account, parameters),
  }),
  route({
    method: 'get',
    path: '/v1/billing/meters',
    parameters: z.strictObject({ ...pageParameters, status: oneOf(['active', 'inactive']).optional() }),
    handle: (account, request) =>
      listObjects(account, 'meter', request, { fields: { status: request.parameters.status } }),
  }),
  route({
    method: 'get',
    path: '/v1/billing/meters/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => meterOf(account, path.id),
  }),
  route({
    method: 'post',
    path: '/v1/billing/meters/:id',
    parameters: z.strictObject({ display_name: text({ max: 250 }).optional() }),
    handle(account, { path, parameters }) {
      const before = meterOf(account, path.id);
      const { display_name: name = before.display_name } = parameters;
      if (name === before.display_name) return before;
      const after = { ...before, display_name: name, updated: account.clock.nowSec() };
      return updateObject(account, 'meter', before, after, 'billing.meter.updated');
    },
  }),
  route({
    method: 'post',
    path: '/v1/billing/meters/:id/deactivate',
    parameters: z.strictObject({}),
    handle: (account, { path }) => switchMeter(account, path.id, 'inactive'),
  }),
  route({
    method: 'post',
    path: '/v1/billing/meters/:id/reactivate',
    parameters: z.strictObject({}),
    handle: (account, { path }) => switchMeter(account, path.id, 'active'),
  }),
];
