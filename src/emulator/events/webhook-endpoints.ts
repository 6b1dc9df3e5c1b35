/** `/v1/webhook_endpoints` (stripe-facts 6). */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, notFound } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { listObjects, pageParameters } from '../pagination.js';
import { emptyable, flag, mergeMetadata, metadata, refuse, text } from '../parameters.js';
import { type Route, route } from '../router.js';
import { apiVersion } from './event-log.js';
import { snapshotEventTypes } from './event-types.js';

/** Stripe: "You can register up to 16 webhook endpoints". */
const endpointsMax = 16;

/** A URL that webhooks can be sent to. Here it may be on this machine, and without TLS. */
export function webhookUrl() {
  return text().check((context) => {
    if (!URL.canParse(context.value) || !/^https?:/.test(context.value)) {
      const message = 'Invalid URL: An explicit scheme (such as https) must be provided.';
      refuse(context, 'url_invalid', () => message);
    }
  });
}

const enabledEvents = z
  .array(
    z.string().check((context) => {
      const { value } = context;
      if (value !== '*' && !snapshotEventTypes.has(value))
        refuse(context, undefined, (param) => `Invalid ${param}: ${value.slice(0, 80)} is no type of event`);
    }),
  )
  .min(1, 'You must specify at least one event in enabled_events.');

/** A version is its date and its release's name; dates compare as text. */
const version = text().check((context) => {
  const { value } = context;
  if (!/^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(value) || value.slice(0, 10) > apiVersion.slice(0, 10))
    refuse(context, undefined, () => `Invalid API version: ${value.slice(0, 40)}`);
});

const createParameters = z.strictObject({
  api_version: version.optional(),
  connect: flag().optional(),
  description: emptyable(text()).optional(),
  enabled_events: enabledEvents,
  metadata: metadata().optional(),
  url: webhookUrl(),
});

const updateParameters = z.strictObject({
  description: emptyable(text()).optional(),
  disabled: flag().optional(),
  enabled_events: enabledEvents.optional(),
  metadata: metadata().optional(),
  url: webhookUrl().optional(),
});

function createEndpoint(account: Account, parameters: z.output<typeof createParameters>) {
  if (account.objects.all('webhook_endpoint').length >= endpointsMax) {
    throw new ApiError(`You have reached the maximum of ${endpointsMax} test webhook endpoints.`);
  }
  return account.objects.put('webhook_endpoint', {
    id: account.newId('we'),
    object: 'webhook_endpoint',
    api_version: parameters.api_version ?? null,
    application: null,
    created: account.clock.nowSec(),
    description: parameters.description ?? null,
    enabled_events: parameters.enabled_events,
    livemode: false,
    metadata: mergeMetadata({}, parameters.metadata),
    secret: account.newId('whsec'),
    status: 'enabled',
    url: parameters.url,
  });
}

function endpointOf(account: Account, id: string): Stored<'webhook_endpoint'> {
  const endpoint = account.objects.get('webhook_endpoint', id);
  if (!endpoint) throw notFound('webhook_endpoint', id);
  return endpoint;
}

/** The secret shows in the answer to the creation alone. */
function withoutSecret({ secret, ...endpoint }: Stored<'webhook_endpoint'>): Stored<'webhook_endpoint'> {
  return endpoint;
}

/** Webhook endpoints. */
export const webhookEndpointRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/webhook_endpoints',
    parameters: createParameters,
    handle: (account, { parameters }) => createEndpoint(account, parameters),
  }),
  route({
    method: 'get',
    path: '/v1/webhook_endpoints',
    parameters: z.strictObject(pageParameters),
    handle(account, request) {
      const list = listObjects(account, 'webhook_endpoint', request, {});
      return { ...list, data: list.data.map(withoutSecret) };
    },
  }),
  route({
    method: 'get',
    path: '/v1/webhook_endpoints/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => withoutSecret(endpointOf(account, path.id)),
  }),
  route({
    method: 'post',
    path: '/v1/webhook_endpoints/:id',
    parameters: updateParameters,
    handle(account, { path, parameters }) {
      const before = endpointOf(account, path.id);
      const { description, disabled, enabled_events: types, url } = parameters;
      const after = account.objects.put('webhook_endpoint', {
        ...before,
        description: description === undefined ? before.description : description,
        enabled_events: types ?? before.enabled_events,
        metadata: mergeMetadata(before.metadata, parameters.metadata),
        status: disabled === undefined ? before.status : disabled ? 'disabled' : 'enabled',
        url: url ?? before.url,
      });
      return withoutSecret(after);
    },
  }),
  route({
    method: 'delete',
    path: '/v1/webhook_endpoints/:id',
    parameters: z.strictObject({}),
    handle(account, { path }) {
      const { id } = endpointOf(account, path.id);
      account.objects.remove('webhook_endpoint', id);
      return { id, object: 'webhook_endpoint', deleted: true };
    },
  }),
];
