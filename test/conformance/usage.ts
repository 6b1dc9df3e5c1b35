/** The ledger, on any engine. */

import { describe, expect, it } from 'vitest';
import { deliveryWindow } from '../../src/domain/delivery.js';
import type { Store } from '../../src/domain/store.js';
import { testStartMs } from '../support/host.js';
import { newUsage, recordCustomer, stripeCustomer, testPeriod } from '../support/records.js';
import type { OpenStore } from './store.js';

const HOUR_MS = 3_600_000;

/** The cases. */
export function describeUsage(open: OpenStore): void {
  describe('usage', () => {
    it('numbers each call of a batch within its period', async () => {
      const { store } = await open();
      const [one = 0, two = 0] = await addCustomers(store, 2);
      const results = await store.recordUsage(
        [
          newUsage(one),
          newUsage(two, { units: 5 }),
          newUsage(one, { units: 2 }),
          newUsage(one, { meter: 'other' }),
        ],
        testStartMs,
      );
      expect(results.map(({ recorded, units, periodUnits }) => [recorded, units, periodUnits])).toEqual([
        ['new', 1, 1],
        ['new', 5, 5],
        ['new', 2, 3],
        ['new', 1, 1],
      ]);
      expect(new Set(results.map(({ id }) => id)).size).toBe(4);
      const [next] = await store.recordUsage([newUsage(one, { units: 10 })], testStartMs);
      expect(next?.periodUnits).toBe(13);
      expect(await store.findPeriodUnits(one, 'api_calls', testPeriod.startMs)).toBe(13);
      expect(await store.findPeriodUnits(one, 'api_calls', testPeriod.endMs)).toBe(0);
      expect(await store.findPeriodUnits(one, 'unheard', testPeriod.startMs)).toBe(0);
      expect(await store.recordUsage([], testStartMs)).toEqual([]);
    });

    it('puts usage and its delivery into the world together', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      await store.recordUsage([newUsage(one, { units: 3 }), newUsage(one, { units: 4 })], testStartMs);
      await store.recordUsage([newUsage(one, { units: 5, atMs: testStartMs + 4_999 })], testStartMs);
      const { data } = await store.listDeliveries({}, { limit: 10 });
      expect(data).toEqual([
        {
          id: expect.stringMatching(/^dlv_/),
          customerId: 'cus_1',
          meter: 'api_calls',
          window: { startMs: testStartMs, endMs: testStartMs + 5_000 },
          units: 12,
          timestampMs: testStartMs,
          state: 'open',
          attempts: 0,
          identifierNumber: 1,
          keyNumber: 1,
          corrects: null,
          cancels: null,
          nextAttemptAtMs: testStartMs + 5_000,
          unknownSinceMs: null,
          reason: null,
          deliveredAtMs: null,
        },
      ]);
    });

    it('never joins customers, meters, windows or periods in one delivery', async () => {
      const { store } = await open();
      const [one = 0, two = 0] = await addCustomers(store, 2);
      const edgeMs = testStartMs + 2_000;
      const before = { startMs: testPeriod.startMs, endMs: edgeMs };
      const after = { startMs: edgeMs, endMs: testPeriod.endMs };
      await store.recordUsage(
        [
          newUsage(one),
          newUsage(two),
          newUsage(one, { meter: 'other' }),
          newUsage(one, { atMs: testStartMs + 5_000 }),
          newUsage(one, { window: deliveryWindow(testStartMs, 5_000, before) }),
          newUsage(one, {
            atMs: edgeMs,
            window: deliveryWindow(edgeMs, 5_000, after),
            periodStartMs: after.startMs,
          }),
          newUsage(one, { periodStartMs: testPeriod.startMs - HOUR_MS }),
        ],
        testStartMs,
      );
      const { data } = await store.listDeliveries({}, { limit: 10 });
      expect(data.map(({ units }) => units)).toEqual([1, 1, 1, 1, 1, 1, 1]);
    });

    it('opens a new delivery for late usage once the window is frozen', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      await store.recordUsage([newUsage(one)], testStartMs);
      await store.freezeDeliveries(testStartMs + 5_000);
      await store.recordUsage([newUsage(one, { units: 7 })], testStartMs + 5_000);
      const { data } = await store.listDeliveries({}, { limit: 10 });
      expect(data.map(({ state, units }) => [state, units])).toEqual([
        ['open', 7],
        ['pending', 1],
      ]);
    });

    it('records once under an idempotency key of a customer', async () => {
      const { store, openAnother } = await open();
      const [one = 0, two = 0] = await addCustomers(store, 2);
      const usage = newUsage(one, { units: 4, idempotencyKey: 'k' });
      const [first, again, other] = await store.recordUsage(
        [usage, { ...usage, units: 9 }, newUsage(two, { idempotencyKey: 'k' })],
        testStartMs,
      );
      expect(again).toEqual({ ...first, recorded: 'repeat' });
      expect(other).toMatchObject({ recorded: 'new', units: 1 });
      await store.recordUsage([newUsage(one)], testStartMs);
      const [later] = await (await openAnother()).recordUsage(
        [{ ...usage, units: 1 }],
        testStartMs + HOUR_MS,
      );
      expect(later).toEqual({ ...first, recorded: 'repeat', periodUnits: 5 });
      expect(await store.sumUsage({ fromMs: 0, toMs: testPeriod.endMs })).toMatchObject({
        units: 6,
        requests: 3,
      });
    });

    it('keeps whole numbers whole, also large, negative and zero ones', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const large = 2 ** 52;
      const results = await store.recordUsage(
        [newUsage(one, { units: large }), newUsage(one, { units: -1 }), newUsage(one, { units: 0 })],
        testStartMs,
      );
      expect(results.map(({ periodUnits }) => periodUnits)).toEqual([large, large - 1, large - 1]);
      await expect(store.recordUsage([newUsage(one, { units: 0.5 })], testStartMs)).rejects.toThrow();
    });

    it('records a batch as a whole or not at all', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      await expect(store.recordUsage([newUsage(one), newUsage(4711)], testStartMs)).rejects.toThrow();
      expect(await store.sumUsage({ fromMs: 0, toMs: testPeriod.endMs })).toMatchObject({
        units: 0,
        requests: 0,
      });
      expect(await store.countDeliveries(testStartMs)).toMatchObject({ pending: 0 });
      expect(await store.findPeriodUnits(one, 'api_calls', testPeriod.startMs)).toBe(0);
    });
  });
}

/** Adds `cus_1`, `cus_2` … and returns their numbers. */
export async function addCustomers(store: Store, count: number): Promise<number[]> {
  const numbers: number[] = [];
  for (let n = 1; n <= count; n += 1) {
    const { no } = await recordCustomer(store, stripeCustomer({ id: `cus_${n}` }));
    numbers.push(no);
  }
  return numbers;
}
