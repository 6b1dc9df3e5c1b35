import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callsLeft, callWaitMs, createRateLimiter, createSteadyTime } from '../../src/access/rate-limiter.js';
import type { Rate } from '../../src/domain/limit.js';

/**
 * The reference: a bucket of `count x perMs` drops, exact in whole numbers. A call costs `perMs` drops; every millisecond
 * brings `count` of them back.
 */
function createBucket({ count, perMs }: Rate) {
  const size = BigInt(count) * BigInt(perMs);
  let drops = size;
  let filledAtMs = 0;
  return (atMs: number): boolean => {
    drops += BigInt(count) * BigInt(atMs - filledAtMs);
    if (drops > size) drops = size;
    filledAtMs = atMs;
    if (drops < BigInt(perMs)) return false;
    drops -= BigInt(perMs);
    return true;
  };
}

/** One caller of the limiter. */
function createCaller(rate: Rate, limiter = createRateLimiter(), no = 1) {
  return (atMs: number): boolean => {
    const debtMs = limiter.debtMs(no, rate, atMs);
    if (callWaitMs(rate, debtMs) > 0) return false;
    limiter.take(no, rate, debtMs, atMs);
    return true;
  };
}

const rates = fc.record({
  count: fc.integer({ min: 1, max: 2_000 }),
  perMs: fc.constantFrom(1_000, 60_000, 3_600_000),
});

/** Without the size they would be ten at most. */
function pausesUpTo(max: number, maxLength: number) {
  return fc.array(fc.nat({ max }), { maxLength, size: 'max' });
}

describe('a rate', () => {
  it('lets in exactly what a bucket of its size lets in', () => {
    fc.assert(
      fc.property(rates, pausesUpTo(5_000, 300), (rate, pauses) => {
        const bucket = createBucket(rate);
        const caller = createCaller(rate);
        let atMs = 0;
        for (const pauseMs of pauses) {
          // Most calls come close together.
          atMs += pauseMs > 2_500 ? pauseMs : Math.floor(pauseMs / 500);
          expect(caller(atMs)).toBe(bucket(atMs));
        }
      }),
    );
  });

  it('lets its count come at once, and then one at a time', () => {
    const rate = { count: 10, perMs: 1_000 };
    const caller = createCaller(rate);
    expect(Array.from({ length: 12 }, () => caller(5)).filter(Boolean)).toHaveLength(10);
    expect([caller(104), caller(105), caller(105), caller(205)]).toEqual([false, true, false, true]);
    expect(Array.from({ length: 12 }, () => caller(9_000)).filter(Boolean)).toHaveLength(10);
  });

  it('says how many calls are left, and that waiting as long as it says is enough', () => {
    fc.assert(
      fc.property(rates, pausesUpTo(400, 100), (rate, pauses) => {
        const limiter = createRateLimiter();
        const caller = createCaller(rate, limiter);
        let atMs = 0;
        for (const pauseMs of pauses) {
          atMs += pauseMs;
          const left = callsLeft(rate, limiter.debtMs(1, rate, atMs));
          expect(left).toBeGreaterThanOrEqual(0);
          expect(left).toBeLessThanOrEqual(rate.count);
          expect(caller(atMs)).toBe(left > 0);
          const waitMs = callWaitMs(rate, limiter.debtMs(1, rate, atMs));
          if (waitMs > 0) expect(callWaitMs(rate, limiter.debtMs(1, rate, atMs + waitMs))).toBeLessThan(1e-3);
        }
      }),
    );
  });

  it('keeps callers apart, also a million of them', () => {
    const rate = { count: 1, perMs: 1_000 };
    const limiter = createRateLimiter();
    for (const no of [1, 2, 1_000_000]) {
      const caller = createCaller(rate, limiter, no);
      expect([caller(0), caller(0)]).toEqual([true, false]);
    }
  });

  it('owes no more than a burst when it is changed', () => {
    const limiter = createRateLimiter();
    const slow = createCaller({ count: 2, perMs: 3_600_000 }, limiter);
    expect([slow(0), slow(0), slow(0)]).toEqual([true, true, false]);
    const fast = createCaller({ count: 2, perMs: 1_000 }, limiter);
    expect([fast(0), fast(500), fast(500), fast(1_000)]).toEqual([false, true, false, true]);
  });
});

describe('steady time', () => {
  it('neither locks out nor gives more than one burst when the clock jumps', () => {
    const rate = { count: 10, perMs: 3_600_000 };
    const steady = createSteadyTime();
    const caller = createCaller(rate);
    const burst = (nowMs: number) => Array.from({ length: 20 }, () => caller(steady(nowMs))).filter(Boolean);
    const nowMs = Date.UTC(2026, 10, 22);
    expect(burst(nowMs)).toHaveLength(10);
    expect(burst(nowMs - 7_200_000)).toHaveLength(0);
    expect(burst(nowMs - 7_200_000 + 720_000)).toHaveLength(2);
    expect(burst(nowMs)).toHaveLength(10);
    expect(burst(nowMs - 1)).toHaveLength(0);
  });

  it('goes on with the clock, and stands while that goes back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -10_000, max: 10_000 })), (steps) => {
        const steady = createSteadyTime();
        let nowMs = 1_000_000;
        let expected = steady(nowMs);
        for (const step of steps) {
          nowMs += step;
          expected += Math.max(0, step);
          expect(steady(nowMs)).toBe(expected);
        }
      }),
    );
  });
});
