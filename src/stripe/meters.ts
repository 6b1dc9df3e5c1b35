/** Billing Meters. */

import type Stripe from 'stripe';
import type { CatalogBilling } from '../domain/billing.js';
import type { Meter } from '../domain/catalog.js';
import { repeatable } from './client.js';
import { asking, finding } from './errors.js';

type Meters = Pick<CatalogBilling, 'findMeter' | 'findMeterById' | 'addMeter' | 'reactivateMeter'>;

/** Meters through this client. */
export function createMeters(stripe: Stripe): Meters {
  return {
    findMeter: (eventName) =>
      asking('list the meters', async () => {
        for (const status of ['active', 'inactive'] as const) {
          for await (const meter of stripe.billing.meters.list({ status, limit: 100 }, repeatable)) {
            if (meter.event_name === eventName) return meterOf(meter);
          }
        }
        return undefined;
      }),

    findMeterById: (id) =>
      finding('read the meter', async () =>
        meterOf(await stripe.billing.meters.retrieve(id, {}, repeatable)),
      ),

    addMeter: ({ eventName, displayName }, attempt) =>
      asking('create the meter', async () =>
        meterOf(
          await stripe.billing.meters.create(
            { event_name: eventName, display_name: displayName, default_aggregation: { formula: 'sum' } },
            { idempotencyKey: attempt, ...repeatable },
          ),
        ),
      ),

    reactivateMeter: (id) =>
      asking('reactivate the meter', async () => meterOf(await stripe.billing.meters.reactivate(id))),
  };
}

function meterOf(meter: Stripe.Billing.Meter): Meter {
  return {
    id: meter.id,
    eventName: meter.event_name,
    displayName: meter.display_name,
    active: meter.status === 'active',
    formula: meter.default_aggregation.formula,
    customerPayloadKey: meter.customer_mapping.event_payload_key,
    valuePayloadKey: meter.value_settings.event_payload_key,
    eventTimeWindow: meter.event_time_window ?? null,
  };
}
