import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callWaitMs, RateLimiter } from '../../src/access/rate-limiter.js';
import { createSteadyTime } from '../../src/access/steady-time.js';

describe('steady time', () => {
  it('neither locks out nor gives more than one burst when the clock jumps', () => {
    const rate = { count: 10, perMs: 3_600_000 };
    const steady = createSteadyTime();
    const limiter = new RateLimiter();
    const isLetIn = (atMs: number): boolean => {
      const debtMs = limiter.debtMs(1, rate, atMs);
      if (callWaitMs(rate, debtMs) > 0) return false;
      limiter.take(1, rate, debtMs, atMs);
      return true;
    };
    const burst = (nowMs: number) => Array.from({ length: 20 }, () => isLetIn(steady(nowMs))).filter(Boolean);
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
