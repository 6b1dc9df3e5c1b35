/** What reconciliation reads and writes, on any engine. */

import { describe, expect, it } from 'vitest';
import type { ClaimedDelivery, DeliveryOutcome } from '../../src/domain/delivery.js';
import type { StampedRange } from '../../src/domain/reconciliation.js';
import type { Store } from '../../src/domain/store.js';
import { testStartMs } from '../support/host.js';
import { newUsage, recordSubscription, subscriptionOf } from '../support/records.js';
import type { OpenStore } from './store.js';
import { addCustomers } from './usage.js';

const minuteMs = 60_000;
const endMs = testStartMs + 10 * minuteMs;
const range: StampedRange = { customerId: 'cus_1', meter: 'api_calls', startMs: testStartMs, endMs };
const whole = { stepMs: 3_600_000, settledBeforeMs: Number.MAX_SAFE_INTEGER };

/** The cases. */
export function describeReconciliation(open: OpenStore): void {
  describe('reconciliation', () => {
    it('lists and counts who may be billed: who used something in the range, or ever subscribed', async () => {
      const { store } = await open();
      const [one = 0, two = 0] = await addCustomers(store, 5);
      await store.recordUsage([newUsage(one), newUsage(two, { atMs: endMs })], testStartMs);
      await recordSubscription(store, subscriptionOf('cus_3', { status: 'canceled' }));
      await recordSubscription(store, subscriptionOf('cus_5'));
      const first = await store.listReconciledCustomers(range, { limit: 2 });
      expect(first.data).toEqual(['cus_1', 'cus_3']);
      const rest = await store.listReconciledCustomers(range, { limit: 2, cursor: first.nextCursor ?? '' });
      expect(rest).toEqual({ data: ['cus_5'], nextCursor: null });
      expect(await store.countReconciledCustomers(range)).toBe(3);
    });

    it('adds up by step and by what Stripe must, may and cannot be counting', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const units = [1, 2, 4, 8, 16, 32];
      await store.recordUsage(
        units.map((n, minute) => newUsage(one, { units: n, atMs: testStartMs + minute * minuteMs })),
        testStartMs,
      );
      await store.freezeDeliveries(endMs);
      await claimAndSettle(store, endMs - 2, { kind: 'delivered' });
      await claimAndSettle(store, endMs - 1, { kind: 'delivered' });
      await claimAndSettle(store, endMs, { kind: 'refused', reason: 'no' });
      await claimAndSettle(store, endMs, { kind: 'uncertain', reason: 'who knows' });
      await claimAndSettle(store, endMs, retry('unknown'));
      await claimAndSettle(store, endMs, retry('no'));
      const by = { ...whole, settledBeforeMs: endMs - 1 };
      expect(await store.sumStamped(range, by)).toEqual([
        {
          ...{ startMs: testStartMs, endMs, ledger: 63, units: 63, delivered: 1 },
          // 2 was delivered too lately, 8 is uncertain, 16 may have arrived; 32 cannot have.
          ...{ unsettledMin: 0, unsettledMax: 2 + 8 + 16, pending: 16 + 32, refused: 1, uncertain: 1 },
        },
      ]);
      const steps = await store.sumStamped(range, { ...by, stepMs: minuteMs });
      expect(steps.map((span) => [(span.startMs - testStartMs) / minuteMs, span.ledger])).toEqual(
        units.map((n, minute) => [minute, n]),
      );
      expect(await store.sumStamped({ ...range, meter: 'other' }, by)).toEqual([]);
      expect(await store.sumStamped({ ...range, customerId: 'cus_none' }, by)).toEqual([]);
      expect(await store.sumStamped({ ...range, startMs: endMs - minuteMs }, by)).toEqual([]);
    });

    it('counts a lease as something that may have arrived, in either direction', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      await store.recordUsage([newUsage(one, { units: -3 })], testStartMs);
      await store.freezeDeliveries(endMs);
      await store.claimDeliveries({ nowMs: endMs, leaseMs: 1_000, limit: 1 });
      expect(await store.sumStamped(range, whole)).toMatchObject([
        { ledger: -3, delivered: 0, unsettledMin: -3, unsettledMax: 0, pending: -3 },
      ]);
    });

    it('adds up more deliveries than fit into memory at once', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const usages = Array.from({ length: 2_600 }, (_, n) =>
        newUsage(one, { atMs: testStartMs + Math.floor(n / 2) * 5_000 }),
      );
      await store.recordUsage(usages, testStartMs);
      const later = { ...range, endMs: testStartMs + 24 * 3_600_000 };
      const sums = await store.sumStamped(later, whole);
      expect(sums.map(({ ledger, units }) => [ledger, units])).toEqual([
        [1440, 1440],
        [1160, 1160],
      ]);
    });

    it('carries out what was proved, unless something has happened since', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      await store.recordUsage(
        [0, 1, 2].map((minute) => newUsage(one, { atMs: testStartMs + minute * minuteMs })),
        testStartMs,
      );
      await store.freezeDeliveries(endMs);
      await claimAndSettle(store, endMs, { kind: 'uncertain', reason: 'who knows' });
      await claimAndSettle(store, endMs, { kind: 'uncertain', reason: 'who knows' });
      await claimAndSettle(store, endMs, { kind: 'delivered' });
      const [arrived, lost, gone] = await store.listStamped(range);
      expect([arrived, lost, gone]).toMatchObject([
        { state: 'uncertain', units: 1, attempts: 1, corrected: false, timestampMs: testStartMs },
        { state: 'uncertain', unknownSinceMs: endMs },
        { state: 'delivered', deliveredAtMs: endMs },
      ]);
      if (!arrived || !lost || !gone) throw new Error('three are listed');
      const verdicts = [
        { id: arrived.id, attempts: 1, state: 'uncertain', becomes: 'delivered' },
        { id: lost.id, attempts: 1, state: 'uncertain', becomes: 'pending' },
        { id: gone.id, attempts: 1, state: 'delivered', becomes: 'anew' },
      ] as const;
      const stale = verdicts.map((verdict) => ({ ...verdict, attempts: 2 }));
      expect(await store.settleCompared(stale, endMs)).toBe(0);
      expect(await store.settleCompared(verdicts, endMs + 1)).toBe(3);
      expect(await store.settleCompared(verdicts, endMs + 1)).toBe(0);
      expect(await store.findDelivery(arrived.id)).toMatchObject({
        ...{ state: 'delivered', deliveredAtMs: endMs + 1, unknownSinceMs: null, identifierNumber: 1 },
      });
      expect(await store.findDelivery(lost.id)).toMatchObject({
        ...{ state: 'pending', unknownSinceMs: null, identifierNumber: 1, nextAttemptAtMs: endMs + 1 },
      });
      expect(await store.findDelivery(gone.id)).toMatchObject({
        ...{ state: 'pending', deliveredAtMs: null, identifierNumber: 2, keyNumber: 1 },
      });
      const claimed = await store.claimDeliveries({ nowMs: endMs + 1, leaseMs: 1_000, limit: 10 });
      expect(claimed).toMatchObject([{ id: lost.id, unknownSinceMs: endMs + 1 }]);
    });
  });
}

function retry(processed: 'no' | 'unknown'): DeliveryOutcome {
  return { kind: 'retry', reason: 'down', atMs: endMs + 3_600_000, processed, nextKey: false };
}

/** Sends the oldest one that is due. */
async function claimAndSettle(store: Store, nowMs: number, outcome: DeliveryOutcome): Promise<void> {
  const [claimed] = await store.claimDeliveries({ nowMs, leaseMs: 1_000, limit: 1 });
  const { id, claimId, identifierNumber } = claimed as ClaimedDelivery;
  await store.settleDeliveries([{ id, claimId, identifierNumber, outcome }], nowMs);
}
