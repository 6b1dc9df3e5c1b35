/** Answers that are none of Stripe's: nothing is taken for done, and nothing is thrown but what an operator can act on. */

import { describe, expect, it } from 'vitest';
import type { Billing } from '../../src/domain/billing.js';
import { openCannedStripe } from '../support/canned-stripe.js';

/** Stripe as a server that gives everybody the same answer. */
async function openNonsense(status: number, type: string, body: string): Promise<Billing> {
  return (await openCannedStripe(() => ({ status, type, body }))).billing;
}

const answers: [string, number, string, string][] = [
  ['a page', 200, 'text/html', '<html>Welcome</html>'],
  ['an empty object', 200, 'application/json', '{}'],
  ['null', 200, 'application/json', 'null'],
  ['an empty object with 404', 404, 'application/json', '{}'],
];

describe.each(answers)('%s for an answer', (_, status, type, body) => {
  const event = { meter: 'calls', identifier: 'dlv_1', idempotencyKey: 'dlv_1' };

  it('is no word about an event, and none about a cancellation', async () => {
    const billing = await openNonsense(status, type, body);
    const unknown = { kind: 'retry', processed: 'unknown', nextKey: true };
    const sent = { ...event, customerId: 'cus_1', units: 1, timestampMs: 0 };
    expect(await billing.sendMeterEvent(sent)).toMatchObject(unknown);
    expect(await billing.cancelMeterEvent(event)).toMatchObject(unknown);
  });

  it.each<[string, (billing: Billing) => Promise<unknown>]>([
    ['the invoices', (billing) => billing.listBilledSpans('sub_1', 0)],
    ['the coming invoice', (billing) => billing.findComingInvoice('cus_1', 'sub_1')],
    ['the counts', (billing) => billing.sumMeterEvents('cus_1', 0, 60_000)],
    ['the events', (billing) => billing.listEvents({ kind: 'snapshot', sinceMs: 0 })],
    ['the thin events', (billing) => billing.listEvents({ kind: 'thin', sinceMs: 0 })],
    ['a report of rejections', (billing) => billing.findMeterRejections('evt_1')],
    ['the customer', (billing) => billing.findCustomer('cus_1')],
    ['the subscriptions', (billing) => billing.listSubscriptions('cus_1')],
    ['a subscription', (billing) => billing.findSubscription('sub_1')],
  ])('is as good as none about %s', async (__, ask) => {
    const billing = await openNonsense(status, type, body);
    await expect(ask(billing)).rejects.toMatchObject({ name: 'MeterctlError', code: 'unavailable' });
  });
});

describe('an answer of the wrong kind', () => {
  const line = { pricing: { price_details: { price: 'price_1' } }, period: { end: 'soon' } };
  const list = (data: unknown) => JSON.stringify({ object: 'list', url: '/', has_more: false, data });
  const refused = { name: 'MeterctlError', code: 'unavailable' };

  it.each([null, '12', {}])('is no count: %s', async (aggregated_value) => {
    const row = { id: 'mtrusg_1', start_time: 0, end_time: 60, aggregated_value };
    const billing = await openNonsense(200, 'application/json', list([row]));
    await expect(billing.sumMeterEvents('cus_1', 0, 60_000)).rejects.toMatchObject(refused);
  });

  it('closes no period', async () => {
    const data = [{ id: 'in_1', status: 'paid', lines: { data: [line] } }];
    const billing = await openNonsense(200, 'application/json', list(data));
    await expect(billing.listBilledSpans('sub_1', 0)).rejects.toMatchObject(refused);
  });

  it('is cut off when it does not end', async () => {
    const page = JSON.stringify({ object: 'billing.meter_event', identifier: 'x'.repeat(20 * 1024 * 1024) });
    const billing = await openNonsense(200, 'application/json', page);
    const event = { meter: 'calls', identifier: 'dlv_1', idempotencyKey: 'dlv_1' };
    expect(
      await billing.sendMeterEvent({ ...event, customerId: 'cus_1', units: 1, timestampMs: 0 }),
    ).toMatchObject({ kind: 'retry', processed: 'unknown', nextKey: false });
  });
});
