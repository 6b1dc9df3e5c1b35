/** Answers that are kept with the usage they were billed with, on any engine. */

import { describe, expect, it } from 'vitest';
import type { AnsweredCall } from '../../src/domain/answer.js';
import type { RecordedUsage } from '../../src/domain/usage.js';
import { testStartMs } from '../support/host.js';
import { hashOf, newUsage, testPeriod } from '../support/records.js';
import type { OpenStore } from './store.js';
import { addCustomers } from './usage.js';

const DAY_MS = 86_400_000;

function answered(idempotencyKey: string, over: Partial<AnsweredCall> = {}): AnsweredCall {
  return {
    idempotencyKey,
    fingerprint: hashOf('request'),
    answerTo: ({ units, periodUnits }: RecordedUsage) => ({
      status: 201,
      headers: { 'content-type': 'text/plain', 'x-several': ['a', 'b'] },
      body: Buffer.from(`${units} of ${periodUnits}`),
    }),
    ...over,
  };
}

/** The cases. */
export function describeAnswers(open: OpenStore): void {
  describe('answers', () => {
    it('are kept in the commit of their usage, and found for a day', async () => {
      const { store, openAnother } = await open();
      const [one = 0, two = 0] = await addCustomers(store, 2);
      await store.recordUsage(
        [newUsage(one), newUsage(one, { units: 4, answered: answered('k') })],
        testStartMs,
      );
      const another = await openAnother();
      const found = await another.findAnswer(one, 'k', testStartMs + DAY_MS - 1);
      expect(found).toEqual({
        fingerprint: Buffer.from(hashOf('request')),
        status: 201,
        headers: { 'content-type': 'text/plain', 'x-several': ['a', 'b'] },
        body: Buffer.from('4 of 5'),
        units: 4,
      });
      expect(await store.findAnswer(one, 'k', testStartMs + DAY_MS)).toBeUndefined();
      expect(await store.findAnswer(one, 'k', testStartMs - DAY_MS)).toEqual(found);
      expect(await store.findAnswer(two, 'k', testStartMs)).toBeUndefined();
      expect(await store.findAnswer(one, 'other', testStartMs)).toBeUndefined();
    });

    it('bill a call once, in a batch, across processes, and apart from recorded usage', async () => {
      const { store, openAnother } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const call = newUsage(one, { units: 4, answered: answered('k') });
      const results = await store.recordUsage(
        [call, { ...call, units: 9 }, newUsage(one, { idempotencyKey: 'k', units: 2 })],
        testStartMs,
      );
      expect(results.map(({ recorded, units }) => [recorded, units])).toEqual([
        ['new', 4],
        ['repeat', 4],
        ['new', 2],
      ]);
      const [later] = await (await openAnother()).recordUsage([call], testStartMs + 5);
      expect(later).toEqual({ ...results[0], recorded: 'repeat', periodUnits: 6 });
      expect(await store.sumUsage({ fromMs: 0, toMs: testPeriod.endMs })).toMatchObject({ units: 6 });
    });

    it('give their key free after a day, and can be thrown away then', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      await store.recordUsage([newUsage(one, { answered: answered('old') })], testStartMs);
      const next = newUsage(one, { units: 3, answered: answered('old', { fingerprint: hashOf('another') }) });
      const [again] = await store.recordUsage([next], testStartMs + DAY_MS);
      expect(again).toMatchObject({ recorded: 'new', units: 3 });
      await store.recordUsage([newUsage(one, { answered: answered('young') })], testStartMs + DAY_MS + 5);
      expect(await store.removeAnswers(testStartMs + 2 * DAY_MS)).toBe(1);
      expect(await store.removeAnswers(testStartMs + 2 * DAY_MS)).toBe(0);
      expect(await store.findAnswer(one, 'young', testStartMs + 2 * DAY_MS)).toMatchObject({ units: 1 });
    });

    it('remember that there was a body too large to keep', async () => {
      const { store } = await open();
      const [one = 0] = await addCustomers(store, 1);
      const answerTo = () => ({ status: 200, headers: {}, body: null });
      await store.recordUsage([newUsage(one, { answered: answered('k', { answerTo }) })], testStartMs);
      expect(await store.findAnswer(one, 'k', testStartMs)).toMatchObject({ status: 200, body: null });
    });
  });
}
