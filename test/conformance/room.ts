/** Usage that must fit into its limits when it is written, whatever other processes have written meanwhile, on any engine. */

import { describe, expect, it } from 'vitest';
import { answerNotKept } from '../../src/domain/answer.js';
import type { CallStep } from '../../src/domain/open-call.js';
import type { Room } from '../../src/domain/room.js';
import type { NewUsage } from '../../src/domain/usage.js';
import { testStartMs } from '../support/host.js';
import { listOthersCalls } from '../support/left-calls.js';
import { newKey, newUsage, testPeriod } from '../support/records.js';
import type { OpenStore } from './store.js';
import { addCustomers } from './usage.js';

const HOUR_MS = 3_600_000;
const step: CallStep = { id: 'call_1', step: 'open', onAbort: 'delivered', seenAtMs: testStartMs };
const over: CallStep = { ...step, step: 'over' };

/** Two processes, of which the other one has written since calls were let in here with ten units an hour for the customer. */
async function openShared(open: OpenStore) {
  const { store, openAnother } = await open();
  const [no = 0] = await addCustomers(store, 1);
  const another = await openAnother();
  const room: Room = {
    asOf: await store.otherUsage(),
    bounds: [
      {
        countAt: (atMs) => {
          const startMs = Math.floor(atMs / HOUR_MS) * HOUR_MS;
          return { whose: { kind: 'customer', no }, window: { startMs, endMs: startMs + HOUR_MS } };
        },
        knownSum: () => undefined,
        unitsMax: () => 10,
      },
    ],
  };
  const use = (units: number, fields: Partial<NewUsage> = {}) => newUsage(no, { units, room, ...fields });
  const record = async (...usages: NewUsage[]) => {
    const recorded = await store.recordUsage(usages, testStartMs);
    return recorded.map(({ recorded: how, units }) => [how, units]);
  };
  const unitsIn = async (hour = 0) => {
    const startMs = Math.floor(testStartMs / HOUR_MS) * HOUR_MS + hour * HOUR_MS;
    const window = { startMs, endMs: startMs + HOUR_MS };
    return (await store.countUnits({ whose: { kind: 'customer', no }, window })).sum.units;
  };
  const sellElsewhere = (units: number, call?: CallStep) =>
    another.recordUsage([newUsage(no, { units, call })], testStartMs);
  return { store, another, no, room, use, record, unitsIn, sellElsewhere };
}

/** The cases. */
export function describeRoom(open: OpenStore): void {
  describe('room', () => {
    it('is asked for only when another process has written', async () => {
      const { record, use, sellElsewhere, unitsIn } = await openShared(open);
      expect(await record(use(8), use(8))).toEqual([
        ['new', 8],
        ['new', 8],
      ]);
      await sellElsewhere(1);
      expect(await record(use(1), use(0))).toEqual([
        ['no_room', 0],
        ['new', 0],
      ]);
      expect(await unitsIn()).toBe(17);
    });

    it('is given out in turn within a commit, and nothing of what does not fit is written', async () => {
      const { store, no, record, use, sellElsewhere, unitsIn } = await openShared(open);
      await sellElsewhere(3);
      expect(await record(use(4), use(4), use(3), use(1))).toEqual([
        ['new', 4],
        ['no_room', 0],
        ['new', 3],
        ['no_room', 0],
      ]);
      expect(await unitsIn()).toBe(10);
      expect(await store.findPeriodUnits(no, 'api_calls', testPeriod.startMs)).toBe(10);
      const [refused] = await store.recordUsage([use(1)], testStartMs);
      expect(refused).toEqual({ id: 0, recorded: 'no_room', units: 0, periodUnits: 10 });
    });

    it('is of the hour that usage belongs to, and of all bounds', async () => {
      const { store, room, record, use, sellElsewhere } = await openShared(open);
      const [key] = await store.addKeys([newKey('cus_1')], 'system');
      await sellElsewhere(10);
      expect(await record(use(1), use(1, { atMs: testStartMs + HOUR_MS }))).toEqual([
        ['no_room', 0],
        ['new', 1],
      ]);
      const ofKey = {
        countAt: () => ({ whose: { kind: 'key', no: key!.no }, window: testPeriod }) as const,
        knownSum: () => undefined,
        unitsMax: () => 2,
      };
      const both = { ...room, bounds: [...room.bounds, ofKey] };
      const later = { keyNo: key!.no, atMs: testStartMs + 2 * HOUR_MS, room: both };
      expect(await record(use(3, later), use(2, later), use(1, later))).toEqual([
        ['no_room', 0],
        ['new', 2],
        ['no_room', 0],
      ]);
      expect(await record(use(8, { ...later, room }))).toEqual([['new', 8]]);
    });

    it('is needed by no repeat', async () => {
      const { store, no, record, use, sellElsewhere } = await openShared(open);
      const answered = {
        idempotencyKey: 'k',
        fingerprint: new Uint8Array(32),
        answerTo: () => answerNotKept,
      };
      await record(use(2, { answered }), use(3, { idempotencyKey: 'n' }));
      await sellElsewhere(5);
      expect(await record(use(2, { answered }), use(3, { idempotencyKey: 'n' }), use(1))).toEqual([
        ['repeat', 2],
        ['repeat', 3],
        ['no_room', 0],
      ]);
      const twice = { ...answered, idempotencyKey: 'l' };
      expect(await record(use(2, { answered: twice }), use(2, { answered: twice }))).toEqual([
        ['no_room', 0],
        ['no_room', 0],
      ]);
      expect(await store.findAnswer(no, 'l', testStartMs)).toBeUndefined();
    });

    it('is held by calls that run, here and elsewhere', async () => {
      const { store, another, no, record, use, sellElsewhere } = await openShared(open);
      await sellElsewhere(1, { ...step, id: 'call_2', heldUnits: 4 });
      expect(await record(use(0, { call: { ...step, heldUnits: 7 } }))).toEqual([['no_room', 0]]);
      expect(await listOthersCalls(another)).toEqual([]);
      expect(await record(use(0, { call: { ...step, heldUnits: 5 } }), use(2), use(1))).toEqual([
        ['open', 0],
        ['no_room', 0],
        ['new', 1],
      ]);
      const hour = Math.floor(testStartMs / HOUR_MS) * HOUR_MS;
      const count = {
        whose: { kind: 'customer', no },
        window: { startMs: hour, endMs: hour + HOUR_MS },
      } as const;
      expect(await store.countUnits(count)).toMatchObject({
        sum: { units: 1 },
        others: { owed: 1, held: 3 },
      });
      expect(await another.countUnits(count)).toMatchObject({
        sum: { units: 1 },
        others: { owed: 0, held: 5 },
      });
      await another.recordUsage([newUsage(no, { units: 2, call: { ...over, id: 'call_2' } })], testStartMs);
      // What it held and did not use is there for others.
      expect(await record(use(3), use(2))).toEqual([
        ['no_room', 0],
        ['new', 2],
      ]);
    });

    it('is left to a call that is over for all that it holds, and beyond as far as it goes', async () => {
      const { another, no, record, use, sellElsewhere, unitsIn } = await openShared(open);
      const calls = [1, 2, 3].map((number) => ({ ...step, id: `call_${number}`, heldUnits: 2 }));
      await record(...calls.map((call) => use(0, { call })));
      await sellElsewhere(3);
      const ended = calls.map((call) => ({ ...call, step: 'over' }) as const);
      expect(await record(use(1, { call: ended[0] }), use(9, { call: ended[1] }))).toEqual([
        ['new', 1],
        ['new', 4],
      ]);
      await another.recordUsage([newUsage(no, { units: 5 })], testStartMs);
      expect(await record(use(9, { call: ended[2] }), use(9, { call: ended[2] }))).toEqual([
        ['new', 2],
        ['closed', 0],
      ]);
      expect(await unitsIn()).toBe(15);
    });

    it('that a call held in the hour before is not its own in the next one', async () => {
      const { another, no, record, use, sellElsewhere, unitsIn } = await openShared(open);
      await record(use(0, { call: { ...step, heldUnits: 6 } }));
      await sellElsewhere(1);
      const atMs = testStartMs + HOUR_MS;
      await another.recordUsage([newUsage(no, { units: 7, atMs })], testStartMs);
      expect(await record(use(6, { call: over, atMs }), use(1, { atMs }))).toEqual([
        ['new', 3],
        ['no_room', 0],
      ]);
      expect(await unitsIn(1)).toBe(10);
    });

    it('is held by a call of another process in the hour that it has gone on into', async () => {
      const { store, another, no, room, record, use, sellElsewhere, unitsIn } = await openShared(open);
      const atMs = testStartMs + HOUR_MS;
      await sellElsewhere(6, step);
      const { window, periodStartMs } = newUsage(0, { atMs });
      // As of now the next hour is empty.
      const next = { atMs, room: { ...room, asOf: await store.otherUsage() } };
      const progress = { id: step.id, units: 6, heldUnits: 6, seenAtMs: testStartMs };
      await another.recordProgress([{ ...progress, atMs, window, periodStartMs, room }]);
      expect(await record(use(5, next), use(4, next))).toEqual([
        ['no_room', 0],
        ['new', 4],
      ]);
      await another.recordUsage([newUsage(no, { units: 6, ...next, call: over })], testStartMs);
      expect(await unitsIn(1)).toBe(10);
    });

    it('bounds how far calls may come', async () => {
      const { store, room, record, use, sellElsewhere } = await openShared(open);
      const { atMs, window, periodStartMs } = newUsage(0);
      const progress = (id: string, units: number, heldUnits = 0) => ({
        ...{ id, units, heldUnits, atMs, window, periodStartMs, room, seenAtMs: testStartMs },
      });
      await record(use(0, { call: { ...step, heldUnits: 3 } }), use(0, { call: { ...step, id: 'call_2' } }));
      expect(await store.recordProgress([progress('call_1', 1, 3), progress('call_2', 2)])).toEqual([1, 2]);
      await sellElsewhere(2);
      expect(
        await store.recordProgress([progress('call_2', 9), progress('call_1', 9), progress('call_3', 1)]),
      ).toEqual([5, 3, 1]);
      // What one of them gives up is there for the other.
      expect(await store.recordProgress([progress('call_2', 4), progress('call_1', 9)])).toEqual([4, 4]);
      expect(await record(use(1), use(3, { call: over }), use(1), use(1))).toEqual([
        ['no_room', 0],
        ['new', 3],
        ['new', 1],
        ['no_room', 0],
      ]);
    });
  });
}
