/** Stripe rejects what it had accepted: the report of the embedded Stripe, read through the real SDK. */

import { describe, expect, it } from 'vitest';
import { createCourier } from '../../src/delivery/courier.js';
import { rejectDeliveries } from '../../src/delivery/reject-deliveries.js';
import { usageRow } from '../../src/metering/usage-row.js';
import type { EventTarget } from '../../src/webhooks/event-target.js';
import { createInbox } from '../../src/webhooks/inbox.js';
import { createTestBilling, openTestEmulator } from '../support/emulator.js';
import { createFakeHost } from '../support/host.js';
import { newWebhook } from '../support/records.js';
import { addSubscriber, openTestStore } from '../support/store.js';

const running = new AbortController().signal;

/** A meter at Stripe, and customers here that Stripe has never heard of: it accepts their usage, and rejects it later. */
async function setUp(customers: number) {
  const host = createFakeHost();
  const store = await openTestStore(host);
  const emulator = await openTestEmulator(host);
  const billing = createTestBilling(emulator, host);
  await billing.addMeter({ eventName: 'calls', displayName: 'Calls' }, 'once');
  for (let n = 1; n <= customers; n += 1) {
    const { customer } = await addSubscriber(store, host, `cus_gone${n}`);
    const use = { customer, keyNo: null, route: 'GET /api', units: n, atMs: host.clock.nowMs() };
    await store.recordUsage([usageRow(use, { meter: 'calls', windowMs: 2_000 })], host.clock.nowMs());
  }
  host.jump(host.clock.nowMs() + 2_000);
  const courier = createCourier({
    ...{ store, billing, host, ratePerSecond: 100 },
    periodCheck: async () => ({ kind: 'billable' }),
    verify: async () => undefined,
  });
  const logged = (text: string) => host.lines.filter(({ message }) => message.includes(text));
  return { host, store, emulator, billing, courier, logged };
}

describe('rejected usage', () => {
  it('becomes refused with the reason, and is sent under another identifier when it is tried again', async () => {
    const { host, store, emulator, billing, courier, logged } = await setUp(1);
    await courier.tick(running);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 1 });
    const startedMs = host.clock.nowMs();
    emulator.advanceTo(startedMs + 60_000);
    const [event] = (await billing.listEvents({ kind: 'thin', sinceMs: startedMs - 1_000 })).data;
    await rejectDeliveries({ store, billing, host }, event?.id ?? '');
    const [refused] = (await store.listDeliveries({ state: 'refused' }, { limit: 10 })).data;
    expect(refused).toMatchObject({
      identifierNumber: 2,
      reason: expect.stringMatching(/^meter_event_customer_not_found: /),
    });
    expect(logged('Stripe rejected usage that it had accepted')).toHaveLength(1);

    await rejectDeliveries({ store, billing, host }, event?.id ?? '');
    expect(logged('Stripe rejected usage that it had accepted')).toHaveLength(1);
    expect(logged('unknown here')).toHaveLength(0);

    await store.retryDeliveries([refused?.id ?? ''], host.clock.nowMs());
    await courier.tick(running);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 1, refused: 0 });
    expect(emulator.account.meterLedger.find(`${refused?.id}.2`, 0)).toMatchObject({ eventName: 'calls' });
  });

  it('says when a report counts more than it names', async () => {
    const { host, store, emulator, billing, courier, logged } = await setUp(8);
    await courier.tick(running);
    const startedMs = host.clock.nowMs();
    emulator.advanceTo(startedMs + 60_000);
    for (const { id } of (await billing.listEvents({ kind: 'thin', sinceMs: startedMs - 1_000 })).data)
      await rejectDeliveries({ store, billing, host }, id);
    const { refused, delivered } = await store.countDeliveries(host.clock.nowMs());
    expect(refused).toBeLessThan(8);
    expect(refused + delivered).toBe(8);
    expect(logged('meterctl reconcile')).toMatchObject([{ fields: { rejected: 8, named: refused } }]);
  });

  it('names what is not known here', async () => {
    const { host, store, billing, logged } = await setUp(0);
    const reporting = (identifier: string) => ({
      ...billing,
      findMeterRejections: async () => ({
        rejections: [{ identifier, reason: 'no_meter: gone' }],
        errorCount: 1,
      }),
    });
    await rejectDeliveries({ store, host, billing: reporting('somebody-elses') }, 'evt_1');
    expect(logged('did not come from here')).toMatchObject([{ fields: { identifier: 'somebody-elses' } }]);
    await rejectDeliveries({ store, host, billing: reporting('dlv_other:2') }, 'evt_1');
    expect(logged('unknown here')).toMatchObject([{ fields: { id: 'dlv_other', reason: 'no_meter: gone' } }]);
  });

  it('is asked for again while Stripe does not show its report, and given up where everybody can see it', async () => {
    const { host, store, billing, logged } = await setUp(0);
    const asked: string[] = [];
    const apply = async (target: EventTarget) => {
      if (target.kind !== 'meter_rejections') return;
      asked.push(target.eventId);
      await rejectDeliveries({ store, host, billing }, target.eventId);
    };
    const inbox = createInbox({ store, host, apply, read: () => 'unreadable' });
    const type = 'v1.billing.meter.error_report_triggered';
    await store.recordWebhook(newWebhook({ id: 'evt_young', kind: 'thin', type }), host.clock.nowMs());
    await inbox.tick(running);
    expect(await store.findWebhook('evt_young')).toMatchObject({ state: 'received', attempts: 1 });
    for (let hour = 0; hour < 24; hour += 1) {
      host.jump(host.clock.nowMs() + 3_600_000);
      await inbox.tick(running);
    }
    expect(asked).toHaveLength(12);
    const given = { state: 'failed', reason: expect.stringContaining('meterctl reconcile') };
    expect(await store.findWebhook('evt_young')).toMatchObject(given);
    expect(logged('given up')).toMatchObject([{ level: 'error', fields: { id: 'evt_young', attempts: 12 } }]);
  });
});
