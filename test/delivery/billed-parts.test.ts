import { expect, it } from 'vitest';
import { billedParts } from '../../src/delivery/billed-parts.js';
import { subscriptionOf } from '../support/records.js';

const day = (month: number, date: number, ms = 0) => Date.UTC(2026, month, date) + ms;
const range = { startMs: day(9, 15), endMs: day(11, 20) };

it('is one part where nothing ends', () => {
  expect(billedParts([], range)).toEqual([range]);
  const yearly = subscriptionOf('cus_1', {
    interval: 'year',
    period: { startMs: day(0, 1), endMs: day(12, 1) },
    createdAtMs: day(0, 1),
  });
  expect(billedParts([yearly], range)).toEqual([range]);
});

it('cuts where periods end, before and after the one that Stripe told last', () => {
  const subscription = subscriptionOf('cus_1', { createdAtMs: day(0, 1) });
  expect(billedParts([subscription], range)).toEqual([
    { startMs: range.startMs, endMs: day(10, 1) },
    { startMs: day(10, 1), endMs: day(11, 1) },
    { startMs: day(11, 1), endMs: range.endMs },
  ]);
});

it('cuts where a subscription begins and ends, on whole minutes, and once for several', () => {
  const times = { createdAtMs: day(10, 5, 61_000), endedAtMs: day(10, 9, 1_000) };
  const parts = billedParts([subscriptionOf('cus_1', times), subscriptionOf('cus_1', times)], range);
  expect(parts).toEqual([
    { startMs: range.startMs, endMs: day(10, 5, 60_000) },
    { startMs: day(10, 5, 60_000), endMs: day(10, 9) },
    { startMs: day(10, 9), endMs: range.endMs },
  ]);
});

it('leaves a minute whole', () => {
  const minute = { startMs: day(10, 1), endMs: day(10, 1, 60_000) };
  const anchorMs = day(9, 1, 30_000);
  const period = { startMs: anchorMs, endMs: day(10, 1, 30_000) };
  const subscription = subscriptionOf('cus_1', { anchorMs, period, createdAtMs: anchorMs });
  expect(billedParts([subscription], minute)).toEqual([minute]);
});
