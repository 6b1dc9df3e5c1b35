/** Calls that are answered before their units are known, on any engine. */

import { describe, expect, it } from 'vitest';
import { answerNotKept } from '../../src/domain/answer.js';
import type { CallStep } from '../../src/domain/open-call.js';
import { testStartMs } from '../support/host.js';
import { listOthersCalls } from '../support/left-calls.js';
import { newUsage, testPeriod } from '../support/records.js';
import type { OpenStore } from './store.js';
import { addCustomers } from './usage.js';

const step: CallStep = { id: 'call_1', step: 'open', onAbort: 'delivered', seenAtMs: testStartMs };
const over: CallStep = { ...step, step: 'over' };

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
      expect(await listOthersCalls(another)).toMatchObject([
        { customerNo: one, units: 7, route: 'GET /api', meter: 'api_calls', call: { id: 'call_1' } },
      ]);
      const last = newUsage(one, { units: 9, call: over });
      const [ended] = await another.recordUsage([last], testStartMs);
      expect(ended).toMatchObject({ recorded: 'new', units: 9, periodUnits: 11 });
      const [again] = await store.recordUsage([last], testStartMs);
      expect(again).toEqual({ id: 0, recorded: 'closed', units: 0, periodUnits: 11 });
      expect(await listOthersCalls(another)).toEqual([]);
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
      const [left] = await listOthersCalls(another);
      await another.recordUsage(left ? [{ ...left, units: 5 }] : [], testStartMs);
      expect(await store.findAnswer(one, 'k', testStartMs)).toMatchObject({ units: 5, body: null });
      const [late] = await store.recordUsage(
        [newUsage(one, { units: 9, call: over, answered })],
        testStartMs,
      );
      expect(late).toMatchObject({ recorded: 'closed', units: 0 });
    });

    it('that nothing is owed for may be made again under their key', async () => {
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const answered = {
        idempotencyKey: 'k',
        fingerprint: new Uint8Array(32),
        answerTo: () => answerNotKept,
      };
      const call = { ...step, onAbort: 'none' } as const;
      await store.recordUsage([newUsage(one, { call, answered })], testStartMs);
      const [left] = await listOthersCalls(await openAnother());
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
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const batch = [newUsage(one, { call: step }), newUsage(4711)];
      await expect(store.recordUsage(batch, testStartMs)).rejects.toThrow();
      expect(await listOthersCalls(await openAnother())).toEqual([]);
    });

    it('remember how far they came, where, and what is owed for it', async () => {
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const calls = (['delivered', 'upstream', 'none'] as const).map((onAbort) => ({
        ...step,
        id: `call_${onAbort}`,
        onAbort,
      }));
      const begin = calls.map((call) => newUsage(one, { units: 0, call }));
      await store.recordUsage(begin, testStartMs);
      const seenAtMs = testStartMs + 60_000;
      const { atMs, window, periodStartMs } = newUsage(one, { atMs: seenAtMs });
      await store.recordProgress([
        { id: 'call_delivered', units: 4, heldUnits: 0, seenAtMs, atMs, window, periodStartMs },
        { id: 'call_unheard', units: 4, heldUnits: 0, seenAtMs, atMs, window, periodStartMs },
      ]);
      await store.recordProgress([]);
      const left = await listOthersCalls(await openAnother());
      expect(left).toMatchObject([
        { units: 0, call: { id: 'call_none', step: 'over', onAbort: 'none' } },
        { units: 0, call: { id: 'call_upstream', onAbort: 'upstream' } },
        { units: 4, atMs, window, call: { id: 'call_delivered', onAbort: 'delivered' } },
      ]);
    });

    it('tell others who runs them, and when it was last seen by its own clock', async () => {
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const [another, third] = [await openAnother(), await openAnother()];
      expect(await third.listCallRunners()).toEqual([]);
      const begin = (id: string, seenAtMs: number) => newUsage(one, { call: { ...step, id, seenAtMs } });
      // The clock of the first is ahead.
      const ahead = testStartMs + 86_400_000;
      await store.recordUsage([begin('call_1', ahead), begin('call_2', testStartMs)], testStartMs);
      await another.recordUsage([begin('call_3', testStartMs)], testStartMs);
      const [first, second] = await third.listCallRunners();
      expect([first, second]).toMatchObject([{ seenAtMs: ahead }, { seenAtMs: testStartMs }]);
      expect(first?.runner).not.toBe(second?.runner);
      expect(await store.listCallRunners()).toEqual([second]);
      expect(await another.listCallRunners()).toEqual([first]);
    });

    it('are listed of who was not seen since, a part at a time', async () => {
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const another = await openAnother();
      const begin = (number: number, seenAtMs: number) =>
        newUsage(one, { call: { ...step, id: `call_${number}`, seenAtMs } });
      const later = testStartMs + 5_000;
      await store.recordUsage([begin(1, later), begin(2, testStartMs), begin(3, testStartMs)], testStartMs);
      const [runner] = await another.listCallRunners();
      const listPart = async () => (runner ? another.listCallsOf(runner, 2) : []);
      const first = await listPart();
      expect(first.map(({ call }) => call.id)).toEqual(['call_2', 'call_3']);
      await another.recordUsage(first, testStartMs);
      expect(await another.listCallRunners()).toEqual([runner]);
      expect((await listPart()).map(({ call }) => call.id)).toEqual(['call_1']);
      // By a clock that was set back meanwhile.
      const { atMs, window, periodStartMs } = begin(1, 0);
      const progress = {
        id: 'call_1',
        units: 1,
        heldUnits: 0,
        seenAtMs: later - 9,
        atMs,
        window,
        periodStartMs,
      };
      await store.recordProgress([progress]);
      expect(await listPart()).toEqual([]);
    });
  });
}
