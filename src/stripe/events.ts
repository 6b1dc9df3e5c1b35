/** Stripe's own list of events, for whoever missed a webhook, and what is behind a thin event (stripe-facts 3d, 6). */

import type Stripe from 'stripe';
import type { EventBilling, EventsAsked } from '../domain/billing.js';
import type { Page } from '../domain/page.js';
import { withoutStripeSecrets } from '../domain/stripe-secrets.js';
import type { MeterRejectionReport, NewWebhook } from '../domain/webhook.js';
import { rfc3339 } from '../lib/rfc3339.js';
import { repeatable } from './client.js';
import { asking, finding, isMissing } from './errors.js';
import { snapshotEvents, thinEvents } from './event-types.js';

/** The most that Stripe puts on a page. */
const pageMax = 100;

/** Events through this client. */
export function createEvents(stripe: Stripe): EventBilling {
  return {
    listEvents: (asked) =>
      asking('list the events', () =>
        asked.kind === 'snapshot' ? listSnapshots(stripe, asked) : listThin(stripe, asked),
      ),

    findMeterRejections: (eventId) =>
      finding('read the meter error report', async () =>
        rejectionsOf(await stripe.v2.core.events.retrieve(eventId, {}, repeatable)),
      ),
  };
}

async function listSnapshots(stripe: Stripe, { sinceMs, cursor }: EventsAsked): Promise<Page<NewWebhook>> {
  const { data, has_more: hasMore } = await stripe.events.list(
    {
      types: [...snapshotEvents],
      created: { gte: Math.floor(sinceMs / 1000) },
      limit: pageMax,
      ...(cursor === undefined ? {} : { starting_after: cursor }),
    },
    repeatable,
  );
  const last = data.at(-1);
  if (hasMore && !last) throw new TypeError('An empty page that is not the last.');
  return { data: data.map(snapshotOf), nextCursor: hasMore && last ? last.id : null };
}

/** A server without the v2 API must not keep the snapshots from being read. */
async function listThin(stripe: Stripe, { sinceMs, cursor }: EventsAsked): Promise<Page<NewWebhook>> {
  // v2 takes times as text where the SDK's types say numbers, and knows `page` where they do not (docs.stripe.com/api/v2/core/events/list).
  const params = {
    types: [...thinEvents],
    created: { gte: rfc3339(sinceMs) },
    limit: pageMax,
    ...(cursor === undefined ? {} : { page: cursor }),
  } as unknown as Stripe.V2.Core.EventListParams;
  try {
    const { data, next_page_url: next } = await stripe.v2.core.events.list(params, repeatable);
    return { data: data.map(thinOf), nextCursor: next === null ? null : pageIn(next) };
  } catch (error) {
    if (isMissing(error)) return { data: [], nextCursor: null };
    throw error;
  }
}

/** The address of the next page names it in a parameter. */
function pageIn(address: string): string {
  const page = new URLSearchParams(address.slice(address.indexOf('?'))).get('page');
  if (page === null) throw new TypeError('The address of the next page names no page.');
  return page;
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
      identifier: nameOf(request),
      reason: `${code}: ${withoutStripeSecrets(error_message)}`,
    })),
  );
  return { rejections, errorCount };
}

/** The request of a sample. Older versions of the API call its name otherwise (stripe-facts 3d). */
function nameOf(request: { identifier?: string; idempotency_key?: string } | undefined): string {
  return request?.identifier ?? request?.idempotency_key ?? '';
}
