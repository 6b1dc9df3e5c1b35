/** The outbox, on any engine. */

import { describe, expect, it } from 'vitest';
import type { ClaimedDelivery, DeliveryOutcome } from '../../src/domain/delivery.js';
import type { Store } from '../../src/domain/store.js';
import { testStartMs } from '../support/host.js';
import { newUsage } from '../support/records.js';
import type { OpenStore } from './store.js';
import { addCustomers } from './usage.js';

const windowMs = 5_000;
/** When the first window has ended. */
const endMs = testStartMs + windowMs;
const claim = { nowMs: endMs, leaseMs: 1_000, limit: 10 };

/** The cases. */
export function describeDeliveries(open: OpenStore): void {
  describe('freezing', () => {
    it('freezes what has ended and leaves what is open', async () => {
      const { store } = await open();
      await useWindows(store, 1, 2);
      expect(await store.freezeDeliveries(endMs - 1)).toBe(0);
      expect(await store.freezeDeliveries(endMs)).toBe(1);
      expect(await states(store)).toEqual(['open', 'pending']);
      expect(await store.freezeDeliveries(endMs)).toBe(0);
    });

    it('has nothing to send where usage and corrections cancel out', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      await store.recordUsage([newUsage(one, { units: 3 }), newUsage(one, { units: -3 })], testStartMs);
      expect(await store.freezeDeliveries(endMs)).toBe(1);
      expect((await store.listDeliveries({}, { limit: 1 })).data).toMatchObject([
        { state: 'delivered', deliveredAtMs: endMs, units: 0, attempts: 0 },
      ]);
    });

    it('also freezes windows of a clock that was ahead, so that nothing is stuck', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const aheadMs = testStartMs + 86_400_000;
      await store.recordUsage([newUsage(one, { atMs: aheadMs })], aheadMs);
      await store.recordUsage([newUsage(one, { atMs: testStartMs + 60_000 })], aheadMs);
      expect(await store.freezeDeliveries(testStartMs)).toBe(1);
      expect(await store.claimDeliveries({ ...claim, nowMs: testStartMs })).toMatchObject([
        { timestampMs: aheadMs },
      ]);
    });

    it('freezes early what still runs, of one customer or of all', async () => {
      const { store } = await open();
      await useWindows(store, 3, 1);
      expect(await store.freezeDeliveries(testStartMs, { customerId: 'cus_2' })).toBe(1);
      expect(await store.claimDeliveries({ ...claim, nowMs: testStartMs })).toMatchObject([
        { customerId: 'cus_2' },
      ]);
      expect(await store.freezeDeliveries(testStartMs, { customerId: 'cus_none' })).toBe(0);
      expect(await store.freezeDeliveries(testStartMs, {})).toBe(2);
      expect(await store.claimDeliveries({ ...claim, nowMs: testStartMs })).toHaveLength(2);
    });

    it('puts the one customer ahead of every backlog until all of it was sent', async () => {
      const { store, openAnother } = await open();
      const [one = 0, two = 0, three = 0] = await addCustomers(store, 3);
      for (const customer of [one, two]) {
        const old = [0, 1, 2].map((n) => newUsage(customer, { atMs: testStartMs + n * windowMs }));
        await store.recordUsage(old, testStartMs);
      }
      const nowMs = testStartMs + 3 * windowMs;
      await store.recordUsage(
        [newUsage(three, { atMs: nowMs }), newUsage(three, { atMs: nowMs - 1 })],
        nowMs,
      );
      await store.freezeDeliveries(nowMs, { customerId: 'cus_3' });
      const courier = await openAnother();
      const sent: string[] = [];
      for (let turn = 0; turn < 4; turn += 1) {
        const [first] = await courier.claimDeliveries({ nowMs, leaseMs: 1_000, limit: 1 });
        sent.push(first?.customerId ?? '');
        await settle(courier, first, { kind: 'delivered' });
      }
      expect(sent.slice(0, 2)).toEqual(['cus_3', 'cus_3']);
      expect(sent.slice(2)).not.toContain('cus_3');
      // Its hurry is over.
      await store.recordUsage([newUsage(three, { atMs: nowMs })], nowMs);
      const laterMs = nowMs + windowMs;
      await store.freezeDeliveries(laterMs);
      expect(await courier.claimDeliveries({ nowMs: laterMs, leaseMs: 1_000, limit: 2 })).toMatchObject([
        { customerId: 'cus_1' },
        { customerId: 'cus_2' },
      ]);
    });

    it('freezes many', async () => {
      const { store } = await open();
      const numbers = await addCustomers(store, 3);
      const usages = Array.from({ length: 2_500 }, (_, n) =>
        newUsage(numbers[n % 3] ?? 0, { atMs: testStartMs + n * windowMs }),
      );
      await store.recordUsage(usages, testStartMs);
      expect(await store.freezeDeliveries(testStartMs + 2_500 * windowMs)).toBe(2_500);
    });
  });

  describe('claiming', () => {
    it('leases what is due and makes the attempt durable', async () => {
      const { store, openAnother } = await open();
      await useWindows(store, 1, 1);
      expect(await store.claimDeliveries(claim)).toEqual([]);
      await store.freezeDeliveries(endMs);
      const [claimed] = await store.claimDeliveries(claim);
      expect(claimed).toMatchObject({
        state: 'claimed',
        attempts: 1,
        unknownSinceMs: endMs,
        leaseUntilMs: endMs + 1_000,
      });
      const { claimId: _, leaseUntilMs: __, unknownBeforeMs: ___, ...delivery } = claimed as ClaimedDelivery;
      expect(await (await openAnother()).findDelivery(delivery.id)).toEqual(delivery);
      expect(await store.findDelivery('dlv_none')).toBeUndefined();
    });

    it('has one in flight for each customer and meter, in all processes together', async () => {
      const { store, openAnother } = await open();
      await useWindows(store, 2, 3);
      await store.freezeDeliveries(testStartMs + 3 * windowMs);
      const first = await store.claimDeliveries({ ...claim, nowMs: testStartMs + 3 * windowMs });
      expect(first.map(({ customerId, window }) => [customerId, window.startMs])).toEqual([
        ['cus_1', testStartMs],
        ['cus_2', testStartMs],
      ]);
      const another = await openAnother();
      expect(await another.claimDeliveries({ ...claim, nowMs: testStartMs + 3 * windowMs })).toEqual([]);
      await settle(store, first[0], { kind: 'delivered' });
      expect(await another.claimDeliveries({ ...claim, nowMs: testStartMs + 3 * windowMs })).toMatchObject([
        { customerId: 'cus_1', window: { startMs: testStartMs + windowMs } },
      ]);
    });

    it('gives out no more than was asked for, longest due first', async () => {
      const { store } = await open();
      const numbers = await addCustomers(store, 3);
      for (const [index, no] of numbers.entries()) {
        await store.recordUsage([newUsage(no, { atMs: testStartMs + (2 - index) * windowMs })], testStartMs);
      }
      const nowMs = testStartMs + 3 * windowMs;
      await store.freezeDeliveries(nowMs);
      const first = await store.claimDeliveries({ ...claim, nowMs, limit: 2 });
      expect(first.map(({ customerId }) => customerId)).toEqual(['cus_3', 'cus_2']);
      expect(await store.claimDeliveries({ ...claim, nowMs, limit: 2 })).toMatchObject([
        { customerId: 'cus_1' },
      ]);
    });

    it('waits for the time of the next attempt, and lets later windows pass meanwhile', async () => {
      const { store } = await open();
      await useWindows(store, 1, 2);
      const nowMs = testStartMs + 2 * windowMs;
      await store.freezeDeliveries(nowMs);
      const [older] = await store.claimDeliveries({ ...claim, nowMs });
      await settle(store, older, retry({ atMs: nowMs + 100 }));
      const [newer] = await store.claimDeliveries({ ...claim, nowMs });
      expect(newer?.window.startMs).toBe(testStartMs + windowMs);
      await settle(store, newer, retry({ atMs: nowMs + 50 }));
      expect(await store.claimDeliveries({ ...claim, nowMs: nowMs + 49 })).toEqual([]);
      const [again] = await store.claimDeliveries({ ...claim, nowMs: nowMs + 100 });
      expect(again, 'the oldest of those due').toMatchObject({ id: older?.id, attempts: 2 });
    });

    it('takes a lease that has run out for a send of unknown outcome', async () => {
      const { store } = await open();
      await useWindows(store, 1, 1);
      await store.freezeDeliveries(endMs);
      const [first] = await store.claimDeliveries(claim);
      expect(await store.claimDeliveries({ ...claim, nowMs: endMs + 999 })).toEqual([]);
      const [second] = await store.claimDeliveries({ ...claim, nowMs: endMs + 1_000 });
      expect(second).toMatchObject({ id: first?.id, attempts: 2, unknownSinceMs: endMs });
      expect(second?.claimId).not.toBe(first?.claimId);
    });

    it('ends leases and waits that a clock made which was ahead', async () => {
      const { store } = await open();
      await useWindows(store, 2, 1);
      await store.freezeDeliveries(endMs);
      const aheadMs = endMs + 86_400_000;
      const [first, second] = await store.claimDeliveries({ ...claim, nowMs: aheadMs });
      const outcome = {
        kind: 'retry',
        reason: 'busy',
        atMs: aheadMs + 1_000,
        processed: 'no',
        nextKey: false,
      } as const;
      await store.settleDeliveries([{ ...second!, outcome }], aheadMs);
      const again = await store.claimDeliveries({ ...claim, nowMs: endMs });
      expect(again.map(({ id }) => id).sort()).toEqual([first!.id, second!.id].sort());
    });

    it('keeps a lease when the clock is corrected a little', async () => {
      const { store } = await open();
      await useWindows(store, 1, 1);
      await store.freezeDeliveries(endMs);
      expect(await store.claimDeliveries(claim)).toHaveLength(1);
      expect(await store.claimDeliveries({ ...claim, nowMs: endMs - claim.leaseMs / 2 })).toEqual([]);
    });
  });

  describe('settling', () => {
    it('writes what came of a send', async () => {
      const { store } = await open();
      await useWindows(store, 4, 1);
      await store.freezeDeliveries(endMs);
      const claimed = await store.claimDeliveries(claim);
      await settle(store, claimed[0], { kind: 'delivered' });
      await settle(store, claimed[1], { kind: 'refused', reason: 'no such customer' });
      await settle(store, claimed[2], { kind: 'uncertain', reason: 'lost for a day' });
      await settle(store, claimed[3], retry({ atMs: endMs + 10 }));
      const after = await Promise.all(claimed.map(({ id }) => store.findDelivery(id)));
      expect(after).toMatchObject([
        { state: 'delivered', deliveredAtMs: endMs, unknownSinceMs: null, reason: null },
        { state: 'refused', reason: 'no such customer', unknownSinceMs: null, deliveredAtMs: null },
        { state: 'uncertain', reason: 'lost for a day', unknownSinceMs: endMs },
        {
          state: 'pending',
          reason: 'down',
          nextAttemptAtMs: endMs + 10,
          unknownSinceMs: endMs,
          keyNumber: 1,
        },
      ]);
      expect(await store.countDeliveries(endMs)).toEqual({
        ...{ pending: 1, claimed: 0, delivered: 1, refused: 1, uncertain: 1, oldestPendingMs: windowMs },
      });
    });

    it('forgets the unknown only where the send was surely not processed', async () => {
      const { store } = await open();
      await useWindows(store, 1, 1);
      await store.freezeDeliveries(endMs);
      const attempt = async (nowMs: number, processed: 'no' | 'unknown') => {
        const [claimed] = await store.claimDeliveries({ ...claim, nowMs });
        await settle(store, claimed, retry({ atMs: nowMs, processed }));
        return (await store.findDelivery(claimed?.id ?? ''))?.unknownSinceMs;
      };
      expect(await attempt(endMs, 'no')).toBeNull();
      expect(await attempt(endMs + 1, 'unknown')).toBe(endMs + 1);
      expect(await attempt(endMs + 2, 'no'), 'the attempt before may still have arrived').toBe(endMs + 1);
      expect(await attempt(endMs + 3, 'unknown')).toBe(endMs + 1);
    });

    it('takes the next Idempotency-Key only when told to', async () => {
      const { store } = await open();
      await useWindows(store, 1, 1);
      await store.freezeDeliveries(endMs);
      const numbers: (number | undefined)[] = [];
      for (const nextKey of [false, true, true]) {
        const [claimed] = await store.claimDeliveries(claim);
        numbers.push(claimed?.keyNumber);
        await settle(store, claimed, retry({ atMs: endMs, nextKey }));
      }
      expect(numbers).toEqual([1, 1, 2]);
      expect(await store.claimDeliveries(claim)).toMatchObject([{ keyNumber: 3 }]);
    });

    it('counts only the present lease, but a delivery that arrived always', async () => {
      const { store } = await open();
      await useWindows(store, 1, 2);
      const nowMs = testStartMs + 2 * windowMs;
      await store.freezeDeliveries(nowMs);
      const [lost] = await store.claimDeliveries({ ...claim, nowMs });
      const [present] = await store.claimDeliveries({ ...claim, nowMs: nowMs + 1_000 });
      expect(present?.id).toBe(lost?.id);
      const late: DeliveryOutcome[] = [
        { kind: 'refused', reason: 'late' },
        { kind: 'uncertain', reason: 'late' },
        retry({ atMs: 1 }),
      ];
      for (const outcome of late) await settle(store, lost, outcome);
      expect(await store.findDelivery(lost?.id ?? '')).toMatchObject({
        state: 'claimed',
        attempts: 2,
        reason: null,
      });
      await settle(store, lost, { kind: 'delivered' });
      await settle(store, present, { kind: 'refused', reason: 'too late' });
      expect(await store.findDelivery(lost?.id ?? '')).toMatchObject({ state: 'delivered' });
      expect(await store.claimDeliveries({ ...claim, nowMs: nowMs + 1_000 })).toMatchObject([
        { window: { startMs: testStartMs + windowMs } },
      ]);
    });

    it('ignores a delivery that it does not know', async () => {
      const { store } = await open();
      await store.settleDeliveries(
        [{ id: 'dlv_none', identifierNumber: 1, claimId: 1, outcome: { kind: 'delivered' } }],
        endMs,
      );
      expect(await store.countDeliveries(endMs)).toMatchObject({ delivered: 0 });
    });
  });

  describe('looking at the outbox', () => {
    it('counts by state and tells the age of the oldest usage not sent', async () => {
      const { store } = await open();
      expect(await store.countDeliveries(endMs)).toEqual({
        ...{ pending: 0, claimed: 0, delivered: 0, refused: 0, uncertain: 0, oldestPendingMs: null },
      });
      await useWindows(store, 2, 2);
      expect(await store.countDeliveries(endMs)).toMatchObject({ pending: 4, oldestPendingMs: windowMs });
      await store.freezeDeliveries(endMs);
      const claimed = await store.claimDeliveries(claim);
      expect(await store.countDeliveries(endMs + 1)).toMatchObject({
        pending: 2,
        claimed: 2,
        oldestPendingMs: windowMs + 1,
      });
      for (const one of claimed) await settle(store, one, { kind: 'delivered' });
      expect(await store.countDeliveries(endMs + 1)).toMatchObject({
        pending: 2,
        delivered: 2,
        oldestPendingMs: 1,
      });
      expect(await store.countDeliveries(testStartMs)).toMatchObject({ oldestPendingMs: 0 });
    });

    it('lists by customer and state, newest window first, page by page', async () => {
      const { store } = await open();
      await useWindows(store, 2, 3);
      await store.freezeDeliveries(endMs);
      const seen: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.listDeliveries({ customerId: 'cus_2' }, { limit: 2, cursor });
        seen.push(...page.data.map(({ window, state }) => [window.startMs - testStartMs, state]));
        cursor = page.nextCursor ?? undefined;
      } while (cursor);
      expect(seen).toEqual([
        [10_000, 'open'],
        [5_000, 'open'],
        [0, 'pending'],
      ]);
      const [claimed] = await store.claimDeliveries({ ...claim, limit: 1 });
      await settle(store, claimed, { kind: 'delivered' });
      const count = async (filter: Parameters<Store['listDeliveries']>[0]) =>
        (await store.listDeliveries(filter, { limit: 10 })).data.length;
      expect(await count({ state: 'open' })).toBe(4);
      expect(await count({ state: 'pending' })).toBe(1);
      expect(await count({ state: 'delivered' })).toBe(1);
      expect(await count({ state: 'delivered', customerId: 'cus_2' })).toBe(0);
      expect(await count({ customerId: 'cus_none' })).toBe(0);
    });

    it('sums what a customer owes Stripe in a period', async () => {
      const { store } = await open();
      await useWindows(store, 2, 3);
      await store.freezeDeliveries(endMs);
      expect(await store.sumUndelivered('cus_1', testStartMs, testStartMs + 2 * windowMs)).toBe(2);
      const [claimed] = await store.claimDeliveries({ ...claim, limit: 1 });
      await settle(store, claimed, { kind: 'delivered' });
      expect(await store.sumUndelivered('cus_1', testStartMs, testStartMs + 2 * windowMs)).toBe(1);
      expect(await store.sumUndelivered('cus_none', 0, endMs)).toBe(0);
    });

    it('tells whether anything has waited, from when it was recorded and its window was over', async () => {
      const { store, host } = await open();
      const [one = 0] = await addCustomers(store, 1);
      await store.recordUsage([newUsage(one, { atMs: testStartMs - 7_200_000 })], testStartMs);
      expect(await store.hasWaitedSince(testStartMs)).toBe(false);
      expect(await store.hasWaitedSince(testStartMs + 1), 'not frozen').toBe(true);
      await store.freezeDeliveries(testStartMs);
      expect(await store.hasWaitedSince(testStartMs)).toBe(false);
      expect(await store.hasWaitedSince(testStartMs + 1)).toBe(true);
      const [claimed] = await store.claimDeliveries(claim);
      expect(await store.hasWaitedSince(testStartMs + 1)).toBe(true);
      await settle(store, claimed, { kind: 'delivered' });
      expect(await store.hasWaitedSince(testStartMs + 1)).toBe(false);
      host.jump(testStartMs + 1);
      await store.recordUsage([newUsage(one)], testStartMs + 1);
      await store.freezeDeliveries(testStartMs + 1, {});
      expect(await store.hasWaitedSince(endMs - 1)).toBe(false);
      expect(await store.hasWaitedSince(endMs)).toBe(true);
    });

    it('counts what may still reach Stripe, from a window on', async () => {
      const { store } = await open();
      await useWindows(store, 2, 3);
      const later = testStartMs + windowMs;
      expect(await store.countUnsettled('cus_1', testStartMs)).toBe(3);
      expect(await store.countUnsettled('cus_1', later)).toBe(2);
      await store.freezeDeliveries(endMs);
      const [claimed] = await store.claimDeliveries({ ...claim, limit: 1 });
      expect(await store.countUnsettled('cus_1', testStartMs)).toBe(3);
      await settle(store, claimed, { kind: 'refused', reason: 'no' });
      expect(await store.countUnsettled('cus_1', testStartMs)).toBe(2);
      expect(await store.countUnsettled('cus_none', 0)).toBe(0);
    });
  });
}

/** One unit of each customer in each of so many windows. */
export async function useWindows(store: Store, customers: number, windows: number): Promise<void> {
  const numbers = await addCustomers(store, customers);
  const usages = Array.from({ length: windows }, (_, n) =>
    numbers.map((no) => newUsage(no, { atMs: testStartMs + n * windowMs })),
  );
  await store.recordUsage(usages.flat(), testStartMs);
}

/** An attempt without an answer. */
export function retry(fields: Partial<Extract<DeliveryOutcome, { kind: 'retry' }>>): DeliveryOutcome {
  return { kind: 'retry', reason: 'down', atMs: endMs, processed: 'unknown', nextKey: false, ...fields };
}

/** Settles one claimed delivery; fails the test when there is none. */
export async function settle(
  store: Store,
  claimed: ClaimedDelivery | undefined,
  outcome: DeliveryOutcome,
): Promise<void> {
  expect(claimed).toBeDefined();
  if (!claimed) return;
  const { id, identifierNumber, claimId } = claimed;
  await store.settleDeliveries([{ id, identifierNumber, claimId, outcome }], endMs);
}

async function states(store: Store): Promise<string[]> {
  return (await store.listDeliveries({}, { limit: 100 })).data.map(({ state }) => state);
}
