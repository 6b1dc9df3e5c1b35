/** Stripe's lists of events, read page by page from the embedded Stripe through the real SDK. */

import { describe, expect, it } from 'vitest';
import type { Billing, EventsAsked } from '../../src/domain/billing.js';
import type { WebhookKind } from '../../src/domain/webhook.js';
import { createTestStripe } from '../emulator/open-test-emulator.js';
import { openCannedStripe } from '../support/canned-stripe.js';
import { createTestBilling, openTestEmulator } from '../support/emulator.js';
import { createFakeHost } from '../support/host.js';

/** An account in which so much has happened, a second apart: a customer was changed, or usage was rejected. */
async function setUp() {
  const host = createFakeHost();
  const emulator = await openTestEmulator(host);
  const billing = createTestBilling(emulator, host);
  const stripe = createTestStripe(emulator);
  await billing.addMeter({ eventName: 'calls', displayName: 'Calls' }, 'once');
  const { id } = await stripe.customers.create({});
  const happen: Record<WebhookKind, (count: number) => Promise<unknown>> = {
    snapshot: (count) => stripe.customers.update(id, { name: `Name ${count}` }),
    thin: async () => {
      const unknown = { stripe_customer_id: 'cus_none', value: '1' };
      await stripe.billing.meterEvents.create({ event_name: 'calls', payload: unknown });
      emulator.advanceTo(emulator.nowMs() + 60_000);
    },
  };
  return { emulator, billing, happen };
}

/** The times of all events since a time, page by page. */
async function pagesOf(billing: Billing, asked: EventsAsked): Promise<number[][]> {
  const { data, nextCursor } = await billing.listEvents(asked);
  const page = data.map(({ createdAtMs }) => createdAtMs);
  return [page, ...(nextCursor === null ? [] : await pagesOf(billing, { ...asked, cursor: nextCursor }))];
}

describe.each(['snapshot', 'thin'] as const)('%s events', (kind) => {
  it('come in pages, newest first, and only since the time asked for', async () => {
    const { emulator, billing, happen } = await setUp();
    for (let count = 1; count <= 130; count += 1) {
      await happen[kind](count);
      emulator.advanceTo(emulator.nowMs() + 1_000);
    }
    const pages = await pagesOf(billing, { kind, sinceMs: 0 });
    expect(pages.map(({ length }) => length)).toEqual([100, 30]);
    const times = pages.flat();
    expect(times).toEqual([...times].sort((a, b) => b - a));
    const sinceMs = times[10]!;
    expect(await pagesOf(billing, { kind, sinceMs })).toEqual([times.slice(0, 11)]);
  });
});

describe('a report of rejected usage', () => {
  it('names requests by either name that Stripe has had for it, and samples may be without any', async () => {
    const sample = (request?: object) => ({ error_message: 'No such customer.', request });
    const samples = [sample({ identifier: 'dlv_1' }), sample({ idempotency_key: 'dlv_2' }), sample()];
    const error = { code: 'meter_event_customer_not_found', error_count: 4, sample_errors: samples };
    const body = JSON.stringify({
      ...{ id: 'evt_1', object: 'v2.core.event', type: 'v1.billing.meter.error_report_triggered' },
      data: { reason: { error_count: 4, error_types: [error] } },
    });
    const { billing } = await openCannedStripe(() => ({ status: 200, body }));
    expect(await billing.findMeterRejections('evt_1')).toMatchObject({
      errorCount: 4,
      rejections: [{ identifier: 'dlv_1' }, { identifier: 'dlv_2' }, { identifier: '' }],
    });
  });
});
