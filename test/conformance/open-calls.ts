/** Calls that are answered before their units are known, on any engine. */

import { describe, expect, it } from 'vitest';
import { answerNotKept } from '../../src/domain/answer.js';
import type { CallStep } from '../../src/domain/open-call.js';
import { testStartMs } from '../support/host.js';
import { newUsage, testPeriod } from '../support/records.js';
import type { OpenStore } from './store.js';
import { addCustomers } from './usage.js';

const step: CallStep = { id: 'call_1', step: 'open', onAbort: 'delivered', seenAtMs: testStartMs };
const over: CallStep = { ...step, step: 'over' };
const everybody = { fromMs: Number.MAX_SAFE_INTEGER, toMs: Number.MAX_SAFE_INTEGER };

/** The cases. */
export function describeOpenCalls(open: OpenStore): void {
  describe('open calls', () => {
    it('are on disk without being usage, and become usage once', async () => {
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      await store.recordUsage([newUsage(one, { units: 2 })], testStartMs);
      const [begun] = await store.recordUsage([newUsage(one, { units: 7, call: step })], testStartMs);
      expect(begun).toEqual({ id: 0, recorded: 'open', units: 7, periodUnits: 2 });
      expect(await store.findPeriodUnits(one, 'api_calls', testPeriod.startMs)).toBe(2);
      const another = await openAnother();
      expect(await another.listUnseenCalls(everybody, 10)).toMatchObject([
        { customerNo: one, units: 7, route: 'GET /api', meter: 'api_calls', call: { id: 'call_1' } },
      ]);
      const last = newUsage(one, { units: 9, call: over });
      const [ended] = await another.recordUsage([last], testStartMs);
      expect(ended).toMatchObject({ recorded: 'new', units: 9, periodUnits: 11 });
      const [again] = await store.recordUsage([last], testStartMs);
      expect(again).toEqual({ id: 0, recorded: 'closed', units: 0, periodUnits: 11 });
      expect(await store.listUnseenCalls(everybody, 10)).toEqual([]);
      expect(await store.sumUsage({ fromMs: 0, toMs: testPeriod.endMs })).toMatchObject({
        units: 11,
        requests: 2,
      });
    });

    it('keep their Idempotency-Key, so that a crash gives nobody a second run', async () => {
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const answered = {
        idempotencyKey: 'k',
        fingerprint: new Uint8Array(32),
        answerTo: () => answerNotKept,
      };
      await store.recordUsage([newUsage(one, { call: step, answered })], testStartMs);
      const another = await openAnother();
      expect(await another.findAnswer(one, 'k', testStartMs)).toEqual({
        status: 'running',
        fingerprint: Buffer.alloc(32),
      });
      expect(await another.findAnswer(one, 'other', testStartMs)).toBeUndefined();
      const [left] = await another.listUnseenCalls(everybody, 10);
      await another.recordUsage(left ? [{ ...left, units: 5 }] : [], testStartMs);
      expect(await store.findAnswer(one, 'k', testStartMs)).toMatchObject({ units: 5, body: null });
      const [late] = await store.recordUsage(
        [newUsage(one, { units: 9, call: over, answered })],
        testStartMs,
      );
      expect(late).toMatchObject({ recorded: 'closed', units: 0 });
    });

    it('that nothing is owed for may be made again under their key', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const answered = {
        idempotencyKey: 'k',
        fingerprint: new Uint8Array(32),
        answerTo: () => answerNotKept,
      };
      const call = { ...step, onAbort: 'none' } as const;
      await store.recordUsage([newUsage(one, { call, answered })], testStartMs);
      const [left] = await store.listUnseenCalls(everybody, 10);
      await store.recordUsage(left ? [{ ...left, units: 0 }] : [], testStartMs);
      expect(await store.findAnswer(one, 'k', testStartMs)).toBeUndefined();
    });

    it('share a commit with usage, and each closes once even within one', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const results = await store.recordUsage(
        [
          newUsage(one, { units: 1, call: step }),
          newUsage(one, { units: 3 }),
          newUsage(one, { units: 5, call: over }),
          newUsage(one, { units: 5, call: over }),
        ],
        testStartMs,
      );
      expect(results.map(({ recorded, units, periodUnits }) => [recorded, units, periodUnits])).toEqual([
        ['open', 1, 0],
        ['new', 3, 3],
        ['new', 5, 8],
        ['closed', 0, 8],
      ]);
    });

    it('are begun as a whole with their batch or not at all', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const batch = [newUsage(one, { call: step }), newUsage(4711)];
      await expect(store.recordUsage(batch, testStartMs)).rejects.toThrow();
      expect(await store.listUnseenCalls(everybody, 10)).toEqual([]);
    });

    it('remember how far they came, where, and what is owed for it', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const calls = (['delivered', 'upstream', 'none'] as const).map((onAbort) => ({
        ...step,
        id: `call_${onAbort}`,
        onAbort,
      }));
      const begin = calls.map((call) => newUsage(one, { units: 0, call }));
      await store.recordUsage(begin, testStartMs);
      const later = newUsage(one, { atMs: testStartMs + 60_000 });
      const seenAtMs = testStartMs + 60_000;
      const { atMs, window, periodStartMs } = later;
      await store.recordProgress([
        { id: 'call_delivered', units: 4, heldUnits: 0, seenAtMs, atMs, window, periodStartMs },
        { id: 'call_unheard', units: 4, heldUnits: 0, seenAtMs, atMs, window, periodStartMs },
      ]);
      await store.recordProgress([]);
      const left = await store.listUnseenCalls({ fromMs: seenAtMs, toMs: seenAtMs }, 10);
      expect(left.map(({ call }) => call.id)).toEqual(['call_none', 'call_upstream']);
      const all = await store.listUnseenCalls(everybody, 10);
      expect(all[0]).toMatchObject({ units: 4, atMs, window, call: { step: 'over', onAbort: 'delivered' } });
      expect(await store.listUnseenCalls(everybody, 2)).toHaveLength(2);
    });

    it('of a clock that was ahead are found too', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const ahead = { ...step, seenAtMs: testStartMs + 86_400_000 };
      await store.recordUsage([newUsage(one, { call: ahead })], testStartMs);
      const now = { fromMs: testStartMs - 15_000, toMs: testStartMs + 15_000 };
      expect(await store.listUnseenCalls(now, 10)).toHaveLength(1);
    });
  });
}
