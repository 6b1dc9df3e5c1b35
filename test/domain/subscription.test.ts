import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliveryWindow } from '../../src/domain/delivery.js';
import { currentSubscription, periodAt } from '../../src/domain/subscription.js';
import { createSubscription } from '../support/rows.js';

const day = 86_400_000;
const iso = (ms: number) => new Date(ms).toISOString();

describe('the period at a time', () => {
  const subscription = createSubscription({
    anchorMs: Date.UTC(2026, 0, 31),
    period: { startMs: Date.UTC(2026, 4, 31), endMs: Date.UTC(2026, 5, 30) },
  });

  it('is the one that Stripe told while it lasts', () => {
    expect(periodAt(subscription, Date.UTC(2026, 5, 1))).toEqual(subscription.period);
  });

  it('goes on from the anchor when Stripe has not told of the next one', () => {
    const next = periodAt(subscription, Date.UTC(2026, 5, 30));
    expect([iso(next.startMs), iso(next.endMs)]).toEqual([
      '2026-06-30T00:00:00.000Z',
      '2026-07-31T00:00:00.000Z',
    ]);
  });

  it('contains its time, and neighbours touch, for any time and anchor', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3_000 * day }),
        fc.integer({ min: -400 * day, max: 400 * day }),
        (anchorMs, offMs) => {
          const started = periodAt(
            createSubscription({ anchorMs, period: { startMs: anchorMs, endMs: anchorMs } }),
            anchorMs,
          );
          const row = createSubscription({ anchorMs, period: started });
          const atMs = anchorMs + offMs;
          const period = periodAt(row, atMs);
          expect(period.startMs <= atMs && atMs < period.endMs).toBe(true);
          expect(periodAt(row, period.endMs).startMs).toBe(period.endMs);
          expect(periodAt(row, period.startMs - 1).endMs).toBe(period.startMs);
        },
      ),
    );
  });
});

describe('a delivery window', () => {
  it('is cut at the edge of the period, so that no delivery spans two', () => {
    const period = { startMs: 10_001_000, endMs: 10_005_000 };
    expect(deliveryWindow(10_001_500, 2_000, period)).toEqual({ startMs: 10_001_000, endMs: 10_002_000 });
    expect(deliveryWindow(10_004_999, 2_000, period)).toEqual({ startMs: 10_004_000, endMs: 10_005_000 });
    expect(deliveryWindow(10_005_000, 2_000, { startMs: 10_005_000, endMs: 20_000_000 })).toEqual({
      startMs: 10_005_000,
      endMs: 10_006_000,
    });
    expect(deliveryWindow(10_001_500, 2_000, undefined)).toEqual({ startMs: 10_000_000, endMs: 10_002_000 });
  });
});

describe('the current subscription', () => {
  it('is the youngest live one, else the youngest', () => {
    const old = createSubscription({ id: 'sub_old', createdAtMs: 1 });
    const young = createSubscription({ id: 'sub_young', createdAtMs: 2 });
    const ended = createSubscription({ id: 'sub_ended', createdAtMs: 3, status: 'canceled', endedAtMs: 4 });
    expect(currentSubscription([ended, old, young])).toBe(young);
    expect(currentSubscription([ended])).toBe(ended);
    expect(currentSubscription([])).toBeUndefined();
  });
});
