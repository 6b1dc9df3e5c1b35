/** One delivery in trouble holds up no other, and no two couriers ever send the same thing at a time. */

import { describe, expect, it } from 'vitest';
import { createCourier } from '../../src/delivery/courier.js';
import type { PeriodCheck } from '../../src/delivery/period-check.js';
import type { MeterEvent, MeterEventAnswer } from '../../src/domain/billing.js';
import { MeterctlError } from '../../src/domain/error.js';
import type { Store } from '../../src/domain/store.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { createFakeHost, type FakeHost } from '../support/host.js';
import { addSubscriber, openTestStore } from '../support/store.js';

const running = new AbortController().signal;
const failed: MeterEventAnswer = {
  ...{
    kind: 'retry',
    reason: 'Stripe answered 500',
    processed: 'unknown',
    nextKey: true,
    retryAfterMs: null,
  },
};

async function setUp(customers: number) {
  const host = createFakeHost();
  const store = await openTestStore(host);
  for (let n = 1; n <= customers; n += 1) await addSubscriber(store, host, `cus_${n}`);
  return { host, store };
}

async function use(store: Store, host: FakeHost, customerId: string): Promise<void> {
  const customer = await store.findCustomer(customerId);
  if (!customer) throw new Error(`There is no ${customerId}.`);
  const atMs = host.clock.nowMs();
  const used = { customer, keyNo: null, route: 'GET /api', units: 1, atMs };
  await store.recordUsage([usageRow(used, { meter: 'calls', windowMs: 1_000 })], atMs);
}

function openCourier(
  { store, host }: { store: Store; host: FakeHost },
  answer: (event: MeterEvent) => Promise<MeterEventAnswer> | MeterEventAnswer,
  periodCheck: PeriodCheck = async () => ({ kind: 'billable' }),
) {
  return createCourier({
    ...{ store, host, periodCheck, ratePerSecond: 100 },
    verify: async () => undefined,
    billing: {
      sendMeterEvent: async (event) => answer(event),
      cancelMeterEvent: async () => ({ kind: 'accepted' }),
    },
  });
}

describe('one delivery in trouble', () => {
  it.each([1, 3])('%d that Stripe always fails on delay others by seconds, not minutes', async (poisoned) => {
    const world = await setUp(poisoned + 1);
    const { host, store } = world;
    const arrivals = new Map<string, number>();
    const last = `cus_${poisoned + 1}`;
    const courier = openCourier(world, ({ identifier, customerId }) => {
      if (customerId !== last) return failed;
      arrivals.set(identifier, host.clock.nowMs());
      return { kind: 'accepted' };
    });
    courier.start();
    for (let n = 1; n <= poisoned; n += 1) await use(store, host, `cus_${n}`);
    // Time for the pauses of the poisoned ones to become as long as any.
    await host.advance(1_200_000);
    let longestMs = 0;
    for (let uses = 0; uses < 20; uses += 1) {
      const usedAtMs = host.clock.nowMs();
      await use(store, host, last);
      await host.advance(60_000);
      longestMs = Math.max(longestMs, [...arrivals.values()].at(-1)! - usedAtMs);
      expect(arrivals.size).toBe(uses + 1);
    }
    expect(longestMs).toBeLessThan(12_000);
    await courier.close();
  });

  it('that hangs holds up neither the others of its batch nor what comes after', async () => {
    const world = await setUp(3);
    const { host, store } = world;
    let release: (answer: MeterEventAnswer) => void = () => undefined;
    const courier = openCourier(world, ({ customerId }) =>
      customerId === 'cus_1'
        ? new Promise((resolve) => {
            release = resolve;
          })
        : { kind: 'accepted' },
    );
    await use(store, host, 'cus_1');
    await use(store, host, 'cus_2');
    courier.start();
    await host.advance(2_500);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 1, claimed: 1 });
    await use(store, host, 'cus_2');
    await use(store, host, 'cus_3');
    await host.advance(3_000);
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 3, claimed: 1 });
    release({ kind: 'accepted' });
    await courier.close();
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 4, claimed: 0 });
  });
});

describe('what Stripe asks for', () => {
  it('is kept to when it asks everybody to wait', async () => {
    const world = await setUp(3);
    const { host, store } = world;
    const sentAtMs: number[] = [];
    let busy = true;
    const courier = openCourier(world, () => {
      sentAtMs.push(host.clock.nowMs());
      if (!busy) return { kind: 'accepted' };
      return { kind: 'retry', reason: '429', processed: 'no', nextKey: false, retryAfterMs: 120_000 };
    });
    await use(store, host, 'cus_1');
    await use(store, host, 'cus_2');
    host.jump(host.clock.nowMs() + 2_000);
    await courier.tick(running);
    busy = false;
    await use(store, host, 'cus_3');
    host.jump(host.clock.nowMs() + 110_000);
    await courier.tick(running);
    expect(sentAtMs).toHaveLength(2);
    host.jump(host.clock.nowMs() + 30_000);
    await courier.tick(running);
    expect(sentAtMs).toHaveLength(5);
    await courier.close();
  });
});

describe('two couriers', () => {
  it('never send the same thing at a time, however long a check takes', async () => {
    const world = await setUp(1);
    const { host, store } = world;
    const underWay = new Set<string>();
    let [sent, together, checkMs] = [0, 0, 25_000];
    const answer = async ({ identifier }: MeterEvent): Promise<MeterEventAnswer> => {
      if (underWay.has(identifier)) together += 1;
      underWay.add(identifier);
      sent += 1;
      await host.clock.sleep(14_000);
      underWay.delete(identifier);
      return { kind: 'accepted' };
    };
    const check = async () => {
      await host.clock.sleep(checkMs);
      return { kind: 'billable' as const };
    };
    const couriers = [openCourier(world, answer, check), openCourier(world, answer, check)];
    await use(store, host, 'cus_1');
    for (const courier of couriers) courier.start();
    await host.advance(120_000);
    expect(sent).toBe(0);
    checkMs = 14_000;
    await host.advance(120_000);
    expect({ sent, together }).toEqual({ sent: 1, together: 0 });
    expect(await store.countDeliveries(host.clock.nowMs())).toMatchObject({ delivered: 1 });
    await Promise.all(couriers.map((courier) => courier.close()));
  });

  it('write down what came of a check that failed', async () => {
    const world = await setUp(1);
    const { host, store } = world;
    const check = async () => {
      throw new MeterctlError('unavailable', 'no answer');
    };
    const courier = openCourier(world, () => ({ kind: 'accepted' }), check);
    await use(store, host, 'cus_1');
    host.jump(host.clock.nowMs() + 2_000);
    await courier.tick(running);
    const { data } = await store.listDeliveries({}, { limit: 1 });
    expect(data).toMatchObject([{ state: 'pending', reason: 'no answer', unknownSinceMs: null }]);
  });
});
