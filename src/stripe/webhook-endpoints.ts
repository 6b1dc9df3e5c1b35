/** The two registrations of one URL: a snapshot endpoint with a pinned version, and a thin destination for meter errors. */

import type Stripe from 'stripe';
import type { CatalogBilling } from '../domain/billing.js';
import type { WebhookEndpoint } from '../domain/catalog.js';
import { apiVersion, repeatable } from './client.js';
import { asking, finding } from './errors.js';
import { snapshotEvents, thinEvents } from './event-types.js';

/** Registrations through this client. */
export function createWebhookEndpoints(
  stripe: Stripe,
): Pick<CatalogBilling, 'listWebhookEndpoints' | 'findWebhookEndpoint' | 'addWebhookEndpoint'> {
  return {
    listWebhookEndpoints: (url, kind) =>
      asking('list the webhook endpoints', async () => {
        const found = kind === 'snapshot' ? await listSnapshot(stripe) : await listThin(stripe);
        return found.filter((endpoint) => endpoint.url === url);
      }),

    findWebhookEndpoint: (id, kind) =>
      finding('read the webhook endpoint', async () =>
        kind === 'snapshot'
          ? snapshotEndpoint(await stripe.webhookEndpoints.retrieve(id, {}, repeatable))
          : thinEndpoint(
              await stripe.v2.core.eventDestinations.retrieve(
                id,
                { include: ['webhook_endpoint.url'] },
                repeatable,
              ),
            ),
      ),

    addWebhookEndpoint: (url, kind, attempt) =>
      asking(`register the webhook endpoint ${url}`, async () => {
        const options = { idempotencyKey: attempt, ...repeatable };
        if (kind === 'snapshot') {
          return snapshotEndpoint(
            await stripe.webhookEndpoints.create(
              { url, enabled_events: [...snapshotEvents], api_version: apiVersion, description: 'meterctl' },
              options,
            ),
          );
        }
        return thinEndpoint(
          await stripe.v2.core.eventDestinations.create(
            {
              name: 'meterctl',
              type: 'webhook_endpoint',
              event_payload: 'thin',
              enabled_events: [...thinEvents],
              webhook_endpoint: { url },
              include: ['webhook_endpoint.signing_secret', 'webhook_endpoint.url'],
            },
            options,
          ),
        );
      }),
  };
}

async function listSnapshot(stripe: Stripe): Promise<WebhookEndpoint[]> {
  const found: WebhookEndpoint[] = [];
  for await (const endpoint of stripe.webhookEndpoints.list({ limit: 100 }, repeatable))
    found.push(snapshotEndpoint(endpoint));
  return found;
}

async function listThin(stripe: Stripe): Promise<WebhookEndpoint[]> {
  const found: WebhookEndpoint[] = [];
  const params = { include: ['webhook_endpoint.url'] };
  for await (const destination of stripe.v2.core.eventDestinations.list(params, repeatable))
    if (destination.event_payload === 'thin') found.push(thinEndpoint(destination));
  return found;
}

function snapshotEndpoint(endpoint: Stripe.WebhookEndpoint): WebhookEndpoint {
  return {
    id: endpoint.id,
    kind: 'snapshot',
    url: endpoint.url,
    enabled: endpoint.status === 'enabled',
    apiVersion: endpoint.api_version ?? null,
    enabledEvents: endpoint.enabled_events,
    secret: endpoint.secret ?? null,
  };
}

function thinEndpoint(destination: Stripe.V2.Core.EventDestination): WebhookEndpoint {
  return {
    id: destination.id,
    kind: 'thin',
    url: destination.webhook_endpoint?.url ?? '',
    enabled: destination.status === 'enabled',
    apiVersion: null,
    enabledEvents: destination.enabled_events,
    secret: destination.webhook_endpoint?.signing_secret ?? null,
  };
}
