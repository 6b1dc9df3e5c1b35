/** `/v2/core/event_destinations`: webhooks of v2, thin or snapshot (stripe-facts 6). */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, notFound } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { type Route, route } from '../router.js';
import { listV2, v2PageParameters } from '../v2-pagination.js';
import { apiVersion, isoTime } from './event-log.js';
import { snapshotEventTypes, thinEventTypes } from './event-types.js';
import { webhookUrl } from './webhook-endpoints.js';

const include = z.array(z.enum(['webhook_endpoint.signing_secret', 'webhook_endpoint.url'])).optional();
const includeUrl = z.array(z.enum(['webhook_endpoint.url'])).optional();
const enabledEvents = z.array(z.string()).min(1);
const metadata = z.record(z.string(), z.string()).optional();

const createParameters = z.strictObject({
  description: z.string().optional(),
  enabled_events: enabledEvents,
  event_payload: z.enum(['snapshot', 'thin']),
  events_from: z.array(z.literal('@self')).optional(),
  include,
  metadata,
  name: z.string().min(1),
  snapshot_api_version: z.string().optional(),
  type: z.literal('webhook_endpoint'),
  webhook_endpoint: z.strictObject({ url: webhookUrl() }),
});

const updateParameters = z.strictObject({
  description: z.string().optional(),
  enabled_events: enabledEvents.optional(),
  include: includeUrl,
  metadata,
  name: z.string().min(1).optional(),
  webhook_endpoint: z.strictObject({ url: webhookUrl() }).optional(),
});

type Destination = Stored<'event_destination'>;

function createDestination(account: Account, parameters: z.output<typeof createParameters>): Destination {
  const { event_payload: payload, snapshot_api_version: version } = parameters;
  checkTypes(payload, parameters.enabled_events);
  if (payload === 'thin' && version !== undefined) {
    throw new ApiError('`snapshot_api_version` is for snapshot events only.', {
      code: 'invalid_fields',
      param: 'snapshot_api_version',
    });
  }
  const now = isoTime(account.clock.nowSec());
  return account.objects.put('event_destination', {
    id: account.newId('ed_test'),
    object: 'v2.core.event_destination',
    created: now,
    description: parameters.description ?? '',
    enabled_events: parameters.enabled_events,
    event_payload: payload,
    events_from: parameters.events_from ?? ['@self'],
    livemode: false,
    metadata: parameters.metadata ?? {},
    name: parameters.name,
    ...(payload === 'snapshot' ? { snapshot_api_version: version ?? apiVersion } : {}),
    status: 'enabled',
    type: 'webhook_endpoint',
    updated: now,
    webhook_endpoint: { signing_secret: account.newId('whsec'), url: parameters.webhook_endpoint.url },
  });
}

/** One destination is thin or snapshot, and so are the types it may name. */
function checkTypes(payload: string, types: string[]): void {
  const known = payload === 'thin' ? thinEventTypes : snapshotEventTypes;
  const wrong = types.find((type) => type !== '*' && !known.has(type));
  if (wrong !== undefined) {
    throw new ApiError(`Invalid enabled_events: ${wrong.slice(0, 80)} is no type of ${payload} event.`, {
      code: 'invalid_fields',
      param: 'enabled_events',
    });
  }
}

function destinationOf(account: Account, id: string): Destination {
  const destination = account.objects.get('event_destination', id);
  if (!destination) throw notFound('event_destination', id);
  return destination;
}

/** The answer: secret and URL show only where they are asked for. */
function shown(destination: Destination, wanted: readonly string[] = []): Destination {
  const { signing_secret: secret, url } = destination.webhook_endpoint ?? {};
  return {
    ...destination,
    webhook_endpoint: {
      ...(secret && wanted.includes('webhook_endpoint.signing_secret') ? { signing_secret: secret } : {}),
      ...(url && wanted.includes('webhook_endpoint.url') ? { url } : {}),
    },
  };
}

function change(account: Account, id: string, fields: Partial<Destination>): Destination {
  const updated = isoTime(account.clock.nowSec());
  return account.objects.put('event_destination', { ...destinationOf(account, id), ...fields, updated });
}

function updateDestination(
  account: Account,
  id: string,
  parameters: z.output<typeof updateParameters>,
): Destination {
  const before = destinationOf(account, id);
  const types = parameters.enabled_events ?? before.enabled_events;
  checkTypes(before.event_payload, types);
  return change(account, id, {
    description: parameters.description ?? before.description,
    enabled_events: types,
    metadata: { ...before.metadata, ...parameters.metadata },
    name: parameters.name ?? before.name,
    webhook_endpoint: { ...before.webhook_endpoint, ...parameters.webhook_endpoint },
  });
}

const base = '/v2/core/event_destinations';
const nothing = z.strictObject({});

/** Event destinations. */
export const eventDestinationRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: base,
    parameters: createParameters,
    handle: (account, { parameters }) => shown(createDestination(account, parameters), parameters.include),
  }),
  route({
    method: 'get',
    path: base,
    parameters: z.strictObject({ ...v2PageParameters, include: includeUrl }),
    handle(account, request) {
      const list = listV2(account, 'event_destination', request, {});
      return { ...list, data: list.data.map((each) => shown(each, request.parameters.include)) };
    },
  }),
  route({
    method: 'get',
    path: `${base}/:id`,
    parameters: z.strictObject({ include: includeUrl }),
    handle: (account, { path, parameters }) => shown(destinationOf(account, path.id), parameters.include),
  }),
  route({
    method: 'post',
    path: `${base}/:id`,
    parameters: updateParameters,
    handle: (account, { path, parameters }) =>
      shown(updateDestination(account, path.id, parameters), parameters.include),
  }),
  route({
    method: 'delete',
    path: `${base}/:id`,
    parameters: nothing,
    handle(account, { path }) {
      const { id } = destinationOf(account, path.id);
      account.objects.remove('event_destination', id);
      return { id, object: 'v2.core.event_destination' };
    },
  }),
  route({
    method: 'post',
    path: `${base}/:id/disable`,
    parameters: nothing,
    handle: (account, { path }) =>
      shown(
        change(account, path.id, { status: 'disabled', status_details: { disabled: { reason: 'user' } } }),
      ),
  }),
  route({
    method: 'post',
    path: `${base}/:id/enable`,
    parameters: nothing,
    handle: (account, { path }) => shown(change(account, path.id, { status: 'enabled', status_details: {} })),
  }),
  route({
    method: 'post',
    path: `${base}/:id/ping`,
    parameters: nothing,
    handle(account, { path }) {
      const { id } = destinationOf(account, path.id);
      const related = { id, type: 'v2.core.event_destination', url: `${base}/${id}` };
      return account.emitThin('v2.core.event_destination.ping', related, {});
    },
  }),
];
