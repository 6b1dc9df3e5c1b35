/** Accepted is not billed: what Stripe rejects after its 200 becomes refused, with the reason (stripe-facts 3d). */

import type { EventBilling } from '../domain/billing.js';
import { parseIdentifier, type Rejection } from '../domain/delivery.js';
import { MeterctlError } from '../domain/error.js';
import type { DeliveryStore } from '../domain/store.js';
import type { Host } from '../lib/host.js';

/**
 * Acts on one of Stripe's reports; the same report again changes nothing. Throws when Stripe cannot be asked for it, and
 * `not_found` when it does not have it: one that is young may only not be readable yet. A report names samples and counts the
 * rest, so the log says when more was rejected than can be named.
 */
export async function rejectDeliveries(
  deps: { store: DeliveryStore; billing: EventBilling; host: Host },
  eventId: string,
): Promise<void> {
  const { store, billing, host } = deps;
  const report = await billing.findMeterRejections(eventId);
  if (!report) {
    throw new MeterctlError(
      'not_found',
      `Stripe does not show its report ${eventId} of rejected usage, or not yet; meterctl reconcile finds what it was about.`,
    );
  }
  const { rejections, errorCount } = report;
  const named: Rejection[] = [];
  for (const { identifier, reason } of rejections) {
    const parsed = parseIdentifier(identifier);
    if (parsed) named.push({ ...parsed, reason });
    else host.log.warn('Stripe rejected usage that did not come from here', { eventId, identifier, reason });
  }
  const results = await store.rejectDeliveries(named);
  results.forEach((result, index) => {
    const fields = { eventId, ...named[index] };
    if (result === 'refused') host.log.error('Stripe rejected usage that it had accepted', fields);
    if (result === 'unknown') host.log.warn('Stripe rejected usage that is unknown here', fields);
  });
  if (errorCount > rejections.length) {
    host.log.error('Stripe rejected more than its report names; run meterctl reconcile to find the rest', {
      eventId,
      rejected: errorCount,
      named: rejections.length,
    });
  }
}
