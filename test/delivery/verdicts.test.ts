/** What a count proves, and what it does not. */

import { describe, expect, it } from 'vitest';
import { verdictsOf } from '../../src/delivery/verdicts.js';
import type { StampedDelivery } from '../../src/domain/reconciliation.js';
import { testStartMs } from '../support/host.js';

const hourMs = 3_600_000;
const nowMs = testStartMs;
const proof = { nowMs, settledBeforeMs: nowMs - hourMs / 4, absenceMs: hourMs };

function delivery(units: number, over: Partial<StampedDelivery> = {}): StampedDelivery {
  return {
    ...{ id: `dlv_${units}`, state: 'delivered', units, attempts: 1, periodStartMs: 0 },
    ...{ timestampMs: nowMs - 3 * hourMs, nextAttemptAtMs: nowMs - 2 * hourMs, unknownSinceMs: null },
    ...{ deliveredAtMs: nowMs - 2 * hourMs, corrected: false },
    ...over,
  };
}

function uncertain(units: number, over: Partial<StampedDelivery> = {}): StampedDelivery {
  const unknownSinceMs = nowMs - 24 * hourMs;
  return delivery(units, { state: 'uncertain', deliveredAtMs: null, unknownSinceMs, ...over });
}

const young = { deliveredAtMs: nowMs - hourMs / 2, nextAttemptAtMs: nowMs - hourMs / 2 };
const unsent = { state: 'pending', deliveredAtMs: null } as const;

describe('a count of one minute', () => {
  it.each<[string, StampedDelivery[], number, string[]]>([
    ['settles what arrived', [delivery(5), uncertain(3)], 8, ['dlv_3 delivered']],
    ['settles several that arrived', [uncertain(2), uncertain(3)], 5, ['dlv_2 delivered', 'dlv_3 delivered']],
    ['frees what never arrived', [delivery(5), uncertain(3)], 5, ['dlv_3 pending']],
    [
      'frees it beside what was refused or never sent',
      [uncertain(3), delivery(9, unsent)],
      0,
      ['dlv_3 pending'],
    ],
    ['settles a correction like usage', [delivery(5), uncertain(-3)], 2, ['dlv_-3 delivered']],
    ['tells which of several arrived', [uncertain(2), uncertain(3)], 3, ['dlv_2 pending', 'dlv_3 delivered']],
    [
      'tells several that arrived from the one that did not',
      [delivery(7), uncertain(1), uncertain(2), uncertain(4)],
      12,
      ['dlv_1 delivered', 'dlv_2 pending', 'dlv_4 delivered'],
    ],
    [
      'takes any of equals for the one that arrived, and sends the other under a new identifier',
      [uncertain(3), uncertain(3, { id: 'dlv_other' })],
      3,
      ['dlv_3 delivered', 'dlv_other anew'],
    ],
    [
      'takes any choice of the same units, and sends the rest under new identifiers',
      [uncertain(5), uncertain(2), uncertain(3)],
      5,
      ['dlv_5 delivered', 'dlv_2 anew', 'dlv_3 anew'],
    ],
    [
      'knows what arrived before it knows what did not',
      [uncertain(2), uncertain(3, { nextAttemptAtMs: nowMs - hourMs / 2 })],
      3,
      ['dlv_3 delivered'],
    ],
    ['finds the one that was lost', [delivery(5), delivery(3)], 5, ['dlv_3 anew']],
    ['finds that all were lost', [delivery(5), delivery(3)], 0, ['dlv_5 anew', 'dlv_3 anew']],
    ['finds one of equals', [delivery(5), delivery(5, { id: 'dlv_other' })], 5, ['dlv_5 anew']],
    ['never looks at deliveries without units', [delivery(5), delivery(0)], 0, ['dlv_5 anew']],
  ])('%s', (_, deliveries, stripe, expected) => {
    const verdicts = verdictsOf(deliveries, stripe, proof);
    expect(verdicts.map(({ id, becomes }) => `${id} ${becomes}`)).toEqual(expected);
  });

  it.each<[string, StampedDelivery[], number]>([
    [
      'which of equals arrived at the edge of a period',
      [uncertain(3), uncertain(3, { periodStartMs: 1 })],
      3,
    ],
    [
      'which of equals arrived where units were taken back',
      [uncertain(3), uncertain(3, { corrected: true })],
      3,
    ],
    [
      'which of equals arrived while counts may lag',
      [uncertain(3, { nextAttemptAtMs: nowMs }), uncertain(3)],
      3,
    ],
    ['anything from a count that no choice explains', [uncertain(2), uncertain(5)], 3],
    ['anything where corrections cancel out', [uncertain(2), uncertain(-2)], 0],
    ['anything while something is on its way', [uncertain(3), delivery(5, { state: 'claimed' })], 5],
    [
      'anything while a send may have arrived',
      [uncertain(3), delivery(5, { ...unsent, unknownSinceMs: 1 })],
      5,
    ],
    [
      'anything beside what was refused after an answer was lost',
      [uncertain(5), delivery(5, { ...unsent, state: 'refused', unknownSinceMs: 1 })],
      5,
    ],
    ['anything while counts may lag', [uncertain(3), delivery(5, { deliveredAtMs: nowMs })], 8],
    ['absence soon after the last attempt', [uncertain(3, { nextAttemptAtMs: nowMs - hourMs / 2 })], 0],
    ['a loss soon after it was accepted', [delivery(5, young)], 0],
    ['a loss beside another so young', [delivery(5), delivery(3, young)], 3],
    ['a loss of other units', [delivery(5), delivery(3)], 7],
    ['a loss across the edge of a period', [delivery(5), delivery(3, { periodStartMs: 1 })], 5],
    ['a loss where units were taken back', [delivery(5, { corrected: true })], 0],
    ['a loss that is too old to be billed', [delivery(5, { timestampMs: nowMs - 36 * 24 * hourMs })], 0],
    ['anything from a count that is too high', [delivery(5)], 6],
  ])('does not prove %s', (_, deliveries, stripe) => {
    expect(verdictsOf(deliveries, stripe, proof)).toEqual([]);
  });
});
