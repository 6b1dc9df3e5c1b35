/** Sums over the ledger, on any engine: compared with sums that are added up by hand. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/domain/store.js';
import type { NewUsage, UsageFilter, UsageGrouping, UsageSum } from '../../src/domain/usage.js';
import { testStartMs } from '../support/host.js';
import { newKey, newUsage } from '../support/records.js';
import type { OpenStore } from './store.js';
import { addCustomers } from './usage.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const midnightMs = Math.floor(testStartMs / DAY_MS) * DAY_MS;

/** The cases. */
export function describeReports(open: OpenStore): void {
  describe('usage reports', () => {
    it('sums by hour, day, month, customer, key and route', async () => {
      const { store } = await open();
      const ledger = await fillLedger(store);
      const filter = { fromMs: midnightMs - 40 * DAY_MS, toMs: midnightMs + 2 * DAY_MS };
      for (const by of ['hour', 'day', 'month', 'customer', 'key', 'route'] as const) {
        expect(await store.listUsage(filter, by), by).toEqual(sumByHand(ledger, filter, by));
      }
      expect(await store.listUsage(filter, 'month')).toHaveLength(2);
      expect((await store.listUsage(filter, 'key'))[0]).toMatchObject({ keyId: null });
    });

    it('sums nothing in a range that ends before the first use', async () => {
      const { store } = await open();
      const firstMs = Math.min(...(await fillLedger(store)).map(({ atMs }) => atMs));
      const filter = { fromMs: 0, toMs: firstMs - (firstMs % DAY_MS) };
      expect(await store.listUsage(filter, 'customer')).toEqual([]);
      expect(await store.sumUsage(filter)).toMatchObject({ units: 0, requests: 0 });
    });

    it('sums any range exactly, whatever it is filtered by', async () => {
      const { store } = await open();
      const ledger = await fillLedger(store);
      const time = fc.oneof(
        fc.integer({ min: midnightMs - 41 * DAY_MS, max: midnightMs + 2 * DAY_MS }),
        fc.integer({ min: -41, max: 3 }).map((days) => midnightMs + days * DAY_MS),
        fc.constantFrom(...ledger.map(({ atMs }) => atMs)),
        fc.constantFrom(0, Number.MAX_SAFE_INTEGER),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.record(
            {
              fromMs: time,
              toMs: time,
              customerId: fc.constantFrom('cus_1', 'cus_2', 'cus_none'),
              keyId: fc.constantFrom('key_1', 'key_2', 'key_none'),
              route: fc.constantFrom('GET /a', 'GET /b', 'GET /none'),
            },
            { requiredKeys: ['fromMs', 'toMs'] },
          ),
          fc.constantFrom<UsageGrouping>('hour', 'day', 'month', 'customer', 'key', 'route'),
          async (filter, by) => {
            const expected = sumByHand(ledger, filter, by);
            expect(await store.listUsage(filter, by)).toEqual(expected);
            const { units, requests, delivered, pending, uncertain, refused } = await store.sumUsage(filter);
            expect({ units, requests }).toEqual(total(expected));
            expect(delivered + pending + uncertain + refused).toBe(units);
          },
        ),
        { numRuns: 300 },
      );
    });

    it('says how much has reached Stripe', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const outcomes = [
        { kind: 'delivered' },
        { kind: 'refused', reason: 'no' },
        { kind: 'uncertain', reason: 'who knows' },
        { kind: 'retry', reason: 'down', atMs: testStartMs, processed: 'unknown', nextKey: false },
      ] as const;
      for (const [index, outcome] of outcomes.entries()) {
        const units = 10 ** index;
        const atMs = testStartMs + index * 5_000;
        await store.recordUsage([newUsage(one, { units, atMs, route: `GET /${outcome.kind}` })], atMs);
        await store.freezeDeliveries(atMs + 5_000);
        const [claimed] = await store.claimDeliveries({ nowMs: atMs + 5_000, leaseMs: 1, limit: 9 });
        await store.settleDeliveries(
          [{ id: claimed?.id ?? '', identifierNumber: 1, claimId: claimed?.claimId ?? 0, outcome }],
          atMs,
        );
      }
      await store.recordUsage([newUsage(one, { units: 10_000, atMs: testStartMs + 60_000 })], testStartMs);
      const filter = { fromMs: midnightMs, toMs: midnightMs + DAY_MS };
      const expected = { delivered: 1, refused: 10, uncertain: 100, pending: 11_000 };
      expect(await store.sumUsage(filter)).toEqual({ units: 11_111, requests: 5, ...expected });
      expect(await store.sumUsage({ ...filter, customerId: 'cus_1' })).toMatchObject(expected);
      const none = { delivered: 0, refused: 0, uncertain: 0, pending: 0 };
      expect(await store.sumUsage({ ...filter, route: 'GET /refused' })).toEqual({
        ...{ units: 10, requests: 1, ...none, refused: 10 },
      });
      expect(await store.sumUsage({ ...filter, fromMs: testStartMs + 10_000 })).toMatchObject({
        ...expected,
        ...{ delivered: 0, refused: 0 },
      });
      expect(await store.sumUsage({ ...filter, toMs: testStartMs + 60_000 })).toMatchObject({
        pending: 1_000,
      });
    });
  });
}

/** A row of the ledger as a person would note it. */
interface Noted extends NewUsage {
  customerId: string;
  keyId: string | null;
}

/** Writes usage over 40 days, much of it close to midnights, and returns it. */
async function fillLedger(store: Store): Promise<Noted[]> {
  const numbers = await addCustomers(store, 2);
  const keys = await Promise.all(
    [1, 2].map((n) => store.addKey(newKey(`cus_${n}`, { id: `key_${n}` }), 'system')),
  );
  const offsets = [-1, 0, 1, HOUR_MS - 1, HOUR_MS, 7 * HOUR_MS, DAY_MS - 1];
  const ledger = [-40, -39, -30, -2, -1, 0, 1].flatMap((day, dayIndex) =>
    offsets.flatMap((offsetMs, index) =>
      numbers.map((customerNo, customer): Noted => {
        const key = (dayIndex + index) % 3 === 0 ? undefined : keys[customer];
        const usage = newUsage(customerNo, {
          keyNo: key?.no ?? null,
          units: 1 + index + 10 * dayIndex + 100 * customer - (index === 3 ? 500 : 0),
          atMs: midnightMs + day * DAY_MS + offsetMs,
          route: index % 2 === 0 ? 'GET /a' : 'GET /b',
        });
        return { ...usage, customerId: `cus_${customer + 1}`, keyId: key?.id ?? null };
      }),
    ),
  );
  await store.recordUsage(
    ledger.map(({ customerId: _customer, keyId: _key, ...usage }) => usage),
    testStartMs,
  );
  return ledger;
}

function sumByHand(ledger: Noted[], filter: UsageFilter, by: UsageGrouping): UsageSum[] {
  const groups = new Map<string, UsageSum>();
  for (const noted of ledger) {
    if (noted.atMs < filter.fromMs || noted.atMs >= filter.toMs) continue;
    if (filter.customerId !== undefined && noted.customerId !== filter.customerId) continue;
    if (filter.keyId !== undefined && noted.keyId !== filter.keyId) continue;
    if (filter.route !== undefined && noted.route !== filter.route) continue;
    const group = groupOf(noted, by);
    const name = JSON.stringify(group);
    const sum = groups.get(name) ?? { ...group, units: 0, requests: 0 };
    const requests = sum.requests + (noted.units < 0 ? 0 : 1);
    groups.set(name, { ...sum, units: sum.units + noted.units, requests });
  }
  const order = (sum: UsageSum) => sum.bucketMs ?? sum.customerId ?? sum.keyId ?? sum.route ?? '';
  return [...groups.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function groupOf({ atMs, customerId, keyId, route }: Noted, by: UsageGrouping) {
  if (by === 'customer') return { customerId };
  if (by === 'key') return { keyId };
  if (by === 'route') return { route };
  if (by === 'hour') return { bucketMs: Math.floor(atMs / HOUR_MS) * HOUR_MS };
  const date = new Date(atMs);
  const day = by === 'month' ? 1 : date.getUTCDate();
  return { bucketMs: Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day) };
}

function total(sums: UsageSum[]): { units: number; requests: number } {
  return {
    units: sums.reduce((sum, { units }) => sum + units, 0),
    requests: sums.reduce((sum, { requests }) => sum + requests, 0),
  };
}
