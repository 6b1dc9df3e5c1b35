/** What Stripe's answers to meter events mean, in whatever words they come. */

import { describe, expect, it } from 'vitest';
import { openCannedStripe } from '../support/canned-stripe.js';

const event = { identifier: 'dlv_1', idempotencyKey: 'dlv_1', meter: 'calls', customerId: 'cus_1', units: 1 };

/** What is made of a Stripe that refuses every event with this message. */
async function refusedWith(message: string) {
  const body = JSON.stringify({ error: { type: 'invalid_request_error', message } });
  const { billing } = await openCannedStripe(() => ({ status: 400, body }));
  return billing.sendMeterEvent({ ...event, timestampMs: 0 });
}

describe('a refused meter event', () => {
  it.each([
    ['An event already exists with identifier dlv_1.', 'duplicate'],
    ['A meter event with identifier dlv_1 already exists.', 'duplicate'],
    ['Duplicate identifier: dlv_1', 'duplicate'],
    ['An event already exists with identifier dlv_2.', 'refused'],
    ['No active meter found for event name "calls"', 'refused'],
  ])('%s', async (message, kind) => {
    expect(await refusedWith(message)).toMatchObject({ kind });
  });
});
