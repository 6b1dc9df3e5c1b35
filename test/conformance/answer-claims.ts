/** Keys of calls that are being carried out, on any engine. */

import { describe, expect, it } from 'vitest';
import type { AnswerClaim } from '../../src/domain/answer.js';
import { answerNotKept } from '../../src/domain/answer.js';
import { testStartMs } from '../support/host.js';
import { hashOf, newUsage } from '../support/records.js';
import type { OpenStore } from './store.js';
import { addCustomers } from './usage.js';

const at = { nowMs: testStartMs, seenAtMs: testStartMs };
const fingerprint = hashOf('request');
const running = (of = fingerprint) => ({ status: 'running', fingerprint: Buffer.from(of) });

/** The cases. */
export function describeAnswerClaims(open: OpenStore): void {
  describe('claims of keys', () => {
    async function openTwo() {
      const { store, openAnother } = await open();
      const [customerNo = 0, otherNo = 0] = await addCustomers(store, 2);
      const claim: AnswerClaim = { customerNo, idempotencyKey: 'k', fingerprint, runner: 'one', no: 1 };
      return { store, another: await openAnother(), claim, otherNo };
    }

    it('are given to one process, of each customer and key', async () => {
      const { store, another, claim, otherNo } = await openTwo();
      expect(await store.claimAnswer(claim, at)).toBe('claimed');
      const elsewhere = { ...claim, runner: 'two', fingerprint: hashOf('another') };
      expect(await another.claimAnswer(elsewhere, at)).toEqual(running());
      expect(await another.claimAnswer({ ...elsewhere, idempotencyKey: 'l' }, at)).toBe('claimed');
      expect(await another.claimAnswer({ ...elsewhere, customerNo: otherNo }, at)).toBe('claimed');
    });

    it('end when they are given free, and with nobody else’s', async () => {
      const { store, another, claim } = await openTwo();
      await store.claimAnswer(claim, at);
      const elsewhere = { ...claim, runner: 'two' };
      await another.releaseAnswers([elsewhere]);
      expect(await another.claimAnswer(elsewhere, at)).toEqual(running());
      // What the process itself could not give free it may take again; the old claim is over with that.
      const again = { ...claim, no: 2, fingerprint: hashOf('another') };
      expect(await store.claimAnswer(again, at)).toBe('claimed');
      await store.releaseAnswers([claim]);
      expect(await another.claimAnswer(elsewhere, at)).toEqual(running(hashOf('another')));
      await store.releaseAnswers([again]);
      expect(await another.claimAnswer(elsewhere, at)).toBe('claimed');
    });

    it('are not given where the call is answered, or open', async () => {
      const { store, another, claim } = await openTwo();
      const answered = (idempotencyKey: string) => ({
        idempotencyKey,
        fingerprint,
        answerTo: () => answerNotKept,
      });
      const call = { id: 'call_1', step: 'open', onAbort: 'delivered', seenAtMs: testStartMs } as const;
      await store.recordUsage(
        [
          newUsage(claim.customerNo, { units: 3, answered: answered('k') }),
          newUsage(claim.customerNo, { call, answered: answered('l') }),
        ],
        testStartMs,
      );
      expect(await another.claimAnswer(claim, at)).toMatchObject({ status: 0, units: 3 });
      expect(await another.claimAnswer({ ...claim, idempotencyKey: 'l' }, at)).toEqual(running());
      expect(await another.listClaimants()).toEqual([]);
      const dayLater = { ...at, nowMs: testStartMs + 86_400_000 };
      expect(await another.claimAnswer(claim, dayLater)).toBe('claimed');
    });

    it('tell who has taken keys and was seen when, and can be taken from him', async () => {
      const { store, another, claim } = await openTwo();
      await store.claimAnswer(claim, at);
      await store.claimAnswer({ ...claim, idempotencyKey: 'l', no: 2 }, { ...at, seenAtMs: testStartMs + 5 });
      await another.claimAnswer({ ...claim, idempotencyKey: 'm', runner: 'two' }, at);
      expect(await another.listClaimants()).toEqual([
        { runner: 'one', seenAtMs: testStartMs + 5 },
        { runner: 'two', seenAtMs: testStartMs },
      ]);
      const renewed = [
        claim,
        { ...claim, idempotencyKey: 'l', no: 2 },
        { ...claim, idempotencyKey: 'm', no: 3 },
      ];
      await store.renewClaims(renewed, testStartMs + 9);
      expect(await another.removeClaims({ runner: 'two', seenAtMs: testStartMs })).toBe(1);
      expect(await another.listClaimants()).toEqual([{ runner: 'one', seenAtMs: testStartMs + 9 }]);
      // It was seen since.
      expect(await another.removeClaims({ runner: 'one', seenAtMs: testStartMs + 5 })).toBe(0);
      expect(await another.removeClaims({ runner: 'one', seenAtMs: testStartMs + 9 })).toBe(2);
      expect(await another.claimAnswer({ ...claim, runner: 'two' }, at)).toBe('claimed');
    });

    it('can be made again by who still carries the calls out, where nobody else has', async () => {
      const { store, another, claim } = await openTwo();
      const claims = [claim, { ...claim, idempotencyKey: 'l', no: 2 }];
      const elsewhere = { ...claim, runner: 'two' };
      await another.claimAnswer(elsewhere, at);
      await store.renewClaims(claims, testStartMs + 9);
      expect(await another.claimAnswer({ ...elsewhere, idempotencyKey: 'l' }, at)).toEqual(running());
      await store.releaseAnswers(claims);
      expect(await another.listClaimants()).toEqual([{ runner: 'two', seenAtMs: testStartMs }]);
    });
  });
}
