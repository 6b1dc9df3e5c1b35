/** What must not happen to a delivery when something unlikely happens to it, or to its neighbour. */

import { describe, expect, it } from 'vitest';
import { createCourier } from '../../src/delivery/courier.js';
import type { PeriodCheck } from '../../src/delivery/period-check.js';
import type { MeterEvent, MeterEventAnswer } from '../../src/domain/billing.js';
import type { Customer } from '../../src/domain/customer.js';
import type { Store } from '../../src/domain/store.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { createFakeHost, type FakeHost } from '../support/host.js';
import { addSubscriber, openTestStore } from '../support/store.js';

const windowMs = 2_000;
const hour = 3_600_000;
const running = new AbortController().signal;

async function use(store: Store, host: FakeHost, customer: Customer, atMs: number): Promise<void> {
  const use = { customer, keyNo: null, route: 'GET /api', units: 1, atMs };
  await store.recordUsage([usageRow(use, { meter: 'calls', windowMs })], host.clock.nowMs());
}

/** A courier that asks `answer` and, for deliveries of periods that are over, `periodCheck`. */
function openCourier(
  store: Store,
  host: FakeHost,
  answer: (event: MeterEvent) => MeterEventAnswer,
  periodCheck: PeriodCheck = async () => ({ kind: 'billable' }),
) {
  return createCourier({
    ...{ store, host, periodCheck },
    ratePerSecond: 100,
    verify: async () => undefined,
    billing: {
      sendMeterEvent: async (event) => answer(event),
      cancelMeterEvent: async () => ({ kind: 'accepted' }),
    },
  });
}

describe('a mishap', () => {
  it('leaves a delivery whose sending is defect to its lease, and settles its neighbours', async () => {
    const host = createFakeHost();
    const store = await openTestStore(host);
    const customers = ['cus_1', 'cus_2', 'cus_3'];
    for (const id of customers) {
      const { customer } = await addSubscriber(store, host, id);
      await use(store, host, customer, host.clock.nowMs());
    }
    let defect = true;
    const check: PeriodCheck = async ({ customerId }) => {
      if (defect && customerId === 'cus_2') throw new TypeError('nobody thought of this');
      return { kind: 'billable' };
    };
    const courier = openCourier(store, host, () => ({ kind: 'accepted' }), check);
    host.jump(host.clock.nowMs() + windowMs);
    await courier.tick(running);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 2, claimed: 1 });
    expect(host.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    defect = false;
    host.jump(host.clock.nowMs() + 60_000);
    await courier.tick(running);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 3 });
  });

  it('never says of what Stripe may have that it must be billed by hand', async () => {
    const host = createFakeHost();
    const store = await openTestStore(host);
    const { customer } = await addSubscriber(store, host);
    await use(store, host, customer, host.clock.nowMs() - 35 * 24 * hour + 2 * hour);
    const lost = { kind: 'retry', reason: 'no answer', processed: 'unknown' } as const;
    const courier = openCourier(store, host, () => ({ ...lost, nextKey: false, retryAfterMs: null }));
    await courier.tick(running);
    host.jump(host.clock.nowMs() + 3 * hour);
    await courier.tick(running);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ refused: 0, uncertain: 1 });
  });
});
