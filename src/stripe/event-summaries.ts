/** What Stripe's meter has counted, read back (stripe-facts 3f). */

import type Stripe from 'stripe';
import type { MeterSumBilling } from '../domain/billing.js';
import { asking } from './errors.js';

/** Event summaries of one meter through this client. A failed call is not repeated here: whoever asks keeps a pace. */
export function createEventSummaries(stripe: Stripe, meterId: string): MeterSumBilling {
  async function sums(customer: string, fromMs: number, toMs: number, byHour: boolean) {
    const found = [];
    const summaries = stripe.billing.meters.listEventSummaries(meterId, {
      customer,
      start_time: fromMs / 1000,
      end_time: toMs / 1000,
      limit: 100,
      ...(byHour && { value_grouping_window: 'hour' }),
    });
    for await (const { start_time, end_time, aggregated_value } of summaries) {
      // Compared with anything else, a drift could look like none.
      if (![start_time, end_time, aggregated_value].every(Number.isFinite))
        throw new TypeError('A count is no number.');
      found.push({ startMs: start_time * 1000, endMs: end_time * 1000, units: aggregated_value });
    }
    return found;
  }

  return {
    sumMeterEvents: (customerId, fromMs, toMs) =>
      asking('sum up the usage of a customer', async () =>
        (await sums(customerId, fromMs, toMs, false)).reduce((total, { units }) => total + units, 0),
      ),
    listMeterSums: (customerId, fromMs, toMs) =>
      asking('list the usage of a customer by hour', async () =>
        (await sums(customerId, fromMs, toMs, true)).sort((a, b) => a.startMs - b.startMs),
      ),
  };
}
