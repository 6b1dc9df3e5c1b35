/** What limits count from, and what tells that another process has used something, on any engine. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallStep } from '../../src/domain/open-call.js';
import type { Store } from '../../src/domain/store.js';
import type { Period } from '../../src/domain/subscription.js';
import type { UsageOwner, WindowSum } from '../../src/domain/usage-counts.js';
import { testStartMs } from '../support/host.js';
import { newKey, newUsage } from '../support/records.js';
import type { OpenStore } from './store.js';
import { addCustomers } from './usage.js';

const DAY_MS = 86_400_000;
const spanMs = 3 * DAY_MS;

/** Times around the first and the last days, and around the edges of a delivery's window. */
const offset = fc.oneof(
  fc.integer({ min: 0, max: spanMs }),
  fc.integer({ min: 0, max: 20_000 }),
  fc.integer({ min: DAY_MS - 10_000, max: DAY_MS + 10_000 }),
);

const use = fc.record({
  customer: fc.integer({ min: 0, max: 1 }),
  isOfKey: fc.boolean(),
  units: fc.integer({ min: -5, max: 100 }),
  offsetMs: offset,
});

async function sumIn(store: Store, whose: UsageOwner, window: Period, known?: WindowSum): Promise<WindowSum> {
  return (await store.countUnits({ whose, window }, known)).sum;
}

/** The cases. */
export function describeCounts(open: OpenStore): void {
  describe('usage since a row', () => {
    it('is told by customers, many rows at a time, up to the last row', async () => {
      const { store } = await open();
      const [ada = 0, bob = 0] = await addCustomers(store, 2);
      expect(await store.listUsedSince(undefined)).toEqual({ customerIds: [], lastUsageId: 0 });
      await store.recordUsage([newUsage(ada)], testStartMs);
      const { lastUsageId: first } = await store.listUsedSince(undefined);
      const many = Array.from({ length: 2_000 }, () => newUsage(bob));
      await store.recordUsage([...many, newUsage(ada)], testStartMs);
      const second = await store.listUsedSince(first);
      expect(second.customerIds).toEqual(['cus_2']);
      const third = await store.listUsedSince(second.lastUsageId);
      expect(third).toEqual({ customerIds: ['cus_1'], lastUsageId: second.lastUsageId + 1 });
      expect(await store.listUsedSince(third.lastUsageId)).toEqual({ ...third, customerIds: [] });
    });
  });

  describe('counts', () => {
    it('are what lies in a window, of a customer and of one key', async () => {
      const histories = fc.array(use, { maxLength: 60, size: 'max' });
      const pairs = fc.array(fc.tuple(offset, offset), { minLength: 1, maxLength: 5 });
      const property = fc.asyncProperty(histories, pairs, async (uses, spans) => {
        const { store, openAnother } = await open();
        const numbers = await addCustomers(store, 2);
        const [key] = await store.addKeys([newKey('cus_1')], 'system');
        const startMs = Math.floor(testStartMs / DAY_MS) * DAY_MS;
        const usages = uses.map(({ customer, isOfKey, units, offsetMs }) =>
          newUsage(numbers[customer]!, {
            keyNo: customer === 0 && isOfKey ? key!.no : null,
            units,
            atMs: startMs + offsetMs,
          }),
        );
        const owners: UsageOwner[] = [
          ...numbers.map((no) => ({ kind: 'customer', no }) as const),
          { kind: 'key', no: key!.no },
        ];
        // So few that it is less work to add them to what is known than to add up everything.
        const earlier = Math.max(0, usages.length - 3);
        await store.recordUsage(usages.slice(0, earlier), testStartMs);
        const windows = spans.map(([one, other]) => ({
          startMs: startMs + Math.min(one, other),
          endMs: startMs + Math.max(one, other),
        }));
        const known = new Map<string, WindowSum>();
        for (const window of windows) {
          for (const owner of owners) {
            known.set(JSON.stringify([owner, window]), await sumIn(store, owner, window));
          }
        }
        await (await openAnother()).recordUsage(usages.slice(earlier), testStartMs);
        for (const window of windows) {
          const sum = (mine: (usage: (typeof usages)[number]) => boolean) =>
            usages
              .filter((usage) => mine(usage) && usage.atMs >= window.startMs && usage.atMs < window.endMs)
              .reduce((total, { units }) => total + units, 0);
          for (const owner of owners) {
            const { kind, no } = owner;
            const expected = sum(({ customerNo, keyNo }) => (kind === 'key' ? keyNo : customerNo) === no);
            const before = known.get(JSON.stringify([owner, window]));
            expect(await sumIn(store, owner, window)).toMatchObject({ units: expected });
            expect(await sumIn(store, owner, window, before)).toMatchObject({ units: expected });
          }
        }
      });
      await fc.assert(property, { numRuns: 25 });
    });

    it('are added on to where little came since', async () => {
      const { store, openAnother } = await open();
      const [no = 0] = await addCustomers(store, 1);
      const [key, otherKey] = await store.addKeys(
        [newKey('cus_1'), newKey('cus_1', { id: 'key_2' })],
        'system',
      );
      const window = { startMs: testStartMs, endMs: testStartMs + 3_600_000 };
      const use = (units: number, atMs = window.startMs, keyNo = key!.no) =>
        newUsage(no, { keyNo, units, atMs });
      await store.recordUsage(
        Array.from({ length: 10 }, () => use(1)),
        testStartMs,
      );
      const owner: UsageOwner = { kind: 'key', no: key!.no };
      const known = await sumIn(store, owner, window);
      expect(known).toMatchObject({ units: 10, rows: 10 });
      const another = await openAnother();
      await another.recordUsage(
        [
          use(5),
          use(-2),
          use(100, window.endMs),
          use(100, window.startMs - 1),
          use(100, window.startMs, otherKey!.no),
        ],
        testStartMs,
      );
      const sum = await sumIn(store, owner, window, known);
      // Rows that were known are not read again.
      expect(sum).toMatchObject({ units: 13, rows: 10 });
      expect(await sumIn(store, owner, window)).toEqual({ ...sum, rows: 12 });
      await another.recordUsage([use(1)], testStartMs);
      expect(await sumIn(store, owner, window, sum)).toMatchObject({ units: 14 });
    });

    it('have changed elsewhere when another process used something, and not when it did anything else', async () => {
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const another = await openAnother();
      const changes = async (work: () => unknown): Promise<boolean> => {
        const before = await store.otherUsage();
        await work();
        return (await store.otherUsage()) !== before;
      };
      const [mine] = await store.recordUsage([newUsage(one)], testStartMs);
      expect(await changes(() => store.recordUsage([newUsage(one), newUsage(one)], testStartMs))).toBe(false);
      expect(await changes(() => another.addKeys([newKey('cus_1')], 'system'))).toBe(false);
      expect(await changes(() => another.recordUsage([newUsage(one)], testStartMs))).toBe(true);
      expect(await changes(async () => undefined)).toBe(false);
      const between = async () => {
        await store.recordUsage([newUsage(one)], testStartMs);
        await another.recordUsage([newUsage(one)], testStartMs);
        await store.recordUsage([newUsage(one)], testStartMs);
      };
      expect(await changes(between)).toBe(true);
      const order = { usageId: mine!.id, reason: 'test', billable: true, cancellableSinceMs: testStartMs };
      const act = { actor: 'system', atMs: testStartMs } as const;
      expect(await changes(() => another.voidUsage(order, act))).toBe(true);
      expect(await changes(() => another.addKeys([newKey('cus_1', { id: 'key_2' })], 'system'))).toBe(false);
    });

    it('have changed elsewhere when another process used as much as was taken back here', async () => {
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const another = await openAnother();
      const before = await store.otherUsage();
      await store.recordUsage([newUsage(one)], testStartMs);
      const answerTo = () => {
        throw new Error('too late');
      };
      const answered = { idempotencyKey: 'k', fingerprint: new Uint8Array(32), answerTo };
      await expect(store.recordUsage([newUsage(one, { answered })], testStartMs)).rejects.toThrow('too late');
      await another.recordUsage([newUsage(one)], testStartMs);
      expect(await store.otherUsage()).not.toBe(before);
    });

    it('have changed elsewhere when a call of another process begins, owes more or ends', async () => {
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const another = await openAnother();
      const call: CallStep = { id: 'call_1', step: 'open', onAbort: 'delivered', seenAtMs: testStartMs };
      const [begun, ended] = [newUsage(one, { call }), newUsage(one, { call: { ...call, step: 'over' } })];
      const { atMs, window, periodStartMs } = begun;
      const progress = {
        id: 'call_1',
        units: 5,
        heldUnits: 5,
        atMs,
        window,
        periodStartMs,
        seenAtMs: testStartMs,
      };
      let seen = await store.otherUsage();
      for (const work of [
        () => another.recordUsage([begun], testStartMs),
        () => another.recordProgress([progress]),
        () => another.recordUsage([ended], testStartMs),
      ]) {
        await work();
        const now = await store.otherUsage();
        expect(now).not.toBe(seen);
        seen = now;
      }
      await store.recordUsage([newUsage(one, { call: { ...call, id: 'call_2' } })], testStartMs);
      await another.addKeys([newKey('cus_1')], 'system');
      expect(await store.otherUsage()).toBe(seen);
    });
  });
}
