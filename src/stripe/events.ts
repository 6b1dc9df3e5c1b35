/** Stripe's own list of events, for whoever missed a webhook, and what is behind a thin event (stripe-facts 3d, 6). */

import type Stripe from 'stripe';
import type { EventBilling } from '../domain/billing.js';
import type { MeterRejectionReport, NewWebhook } from '../domain/webhook.js';
import { repeatable } from './client.js';
import { asking, finding, isForbidden, isMissing, withoutSecrets } from './errors.js';
import { snapshotEvents, thinEvents } from './event-types.js';

/** Events through this client. */
export function createEvents(stripe: Stripe): EventBilling {
  return {
    listEvents: (sinceMs) =>
      asking('list the events', async () => {
        const found: NewWebhook[] = [];
        const snapshots = stripe.events.list(
          { types: [...snapshotEvents], created: { gte: Math.floor(sinceMs / 1000) }, limit: 100 },
          repeatable,
        );
        for await (const event of snapshots) found.push(snapshotOf(event));
        // v2 takes times as text where the SDK's types say numbers, and meter errors are few: all are read, and sorted out here.
        const thin = await listThin(stripe);
        for (const event of thin) if (Date.parse(event.created) >= sinceMs) found.push(thinOf(event));
        return found.sort((a, b) => a.createdAtMs - b.createdAtMs);
      }),

    findMeterRejections: (eventId) =>
      finding('read the meter error report', async () =>
        rejectionsOf(await stripe.v2.core.events.retrieve(eventId, {}, repeatable)),
      ),
  };
}

/** A server or a key without the v2 API must not keep the snapshots from being read. */
async function listThin(stripe: Stripe): Promise<Stripe.V2.Core.Event[]> {
  try {
    const found: Stripe.V2.Core.Event[] = [];
    const list = stripe.v2.core.events.list({ types: [...thinEvents], limit: 100 }, repeatable);
    for await (const event of list) found.push(event);
    return found;
  } catch (error) {
    if (isMissing(error) || isForbidden(error)) return [];
    throw error;
  }
}

function snapshotOf(event: Stripe.Event): NewWebhook {
  const { id, type, created } = event;
  return {
    id,
    type,
    kind: 'snapshot',
    body: JSON.stringify(event),
    createdAtMs: created * 1000,
    source: 'poll',
  };
}

function thinOf(event: Stripe.V2.Core.Event): NewWebhook {
  const { id, type, object, created, livemode } = event;
  const body = JSON.stringify({ id, object, type, created, livemode });
  return { id, type, kind: 'thin', body, createdAtMs: Date.parse(created), source: 'poll' };
}

/** Reports hold samples only; each names the Idempotency-Key of its request. */
function rejectionsOf(event: Stripe.V2.Core.Event): MeterRejectionReport {
  if (
    event.type !== 'v1.billing.meter.error_report_triggered' &&
    event.type !== 'v1.billing.meter.no_meter_found'
  ) {
    throw new TypeError(`This is no report of rejected usage, but ${event.type}.`);
  }
  const { error_count: errorCount, error_types: types } = event.data.reason;
  const rejections = types.flatMap(({ code, sample_errors }) =>
    sample_errors.map(({ error_message, request }) => ({
      identifier: request.identifier,
      reason: `${code}: ${withoutSecrets(error_message)}`,
    })),
  );
  return { rejections, errorCount };
}
