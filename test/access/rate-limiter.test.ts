import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callsLeft, callWaitMs, RateLimiter, type Take } from '../../src/access/rate-limiter.js';
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
function createCaller(rate: Rate, limiter = new RateLimiter(), no = 1) {
  return (atMs: number): boolean => {
    limiter.forgive(no, rate, atMs);
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
        const limiter = new RateLimiter();
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
    const limiter = new RateLimiter();
    for (const no of [1, 2, 1_000_000]) {
      const caller = createCaller(rate, limiter, no);
      expect([caller(0), caller(0)]).toEqual([true, false]);
    }
  });

  it('owes no more than a burst when it is changed', () => {
    const limiter = new RateLimiter();
    const slow = createCaller({ count: 2, perMs: 3_600_000 }, limiter);
    expect([slow(0), slow(0), slow(0)]).toEqual([true, true, false]);
    const fast = createCaller({ count: 2, perMs: 1_000 }, limiter);
    expect([fast(0), fast(500), fast(500), fast(1_000)]).toEqual([false, true, false, true]);
  });
});

/** What comes over a caller: a call that adds to its debt, or a look at a rate that leaves no more of it than a burst. */
type Turn = { atMs: number } & ({ costMs: number } | { burstMs: number });

/** The reference for what is given back: what is owed after these turns, worked out from the first of them on. */
function debtAfter(turns: readonly Turn[], atMs: number): number {
  let owedMs = 0;
  let lastMs = 0;
  for (const turn of turns) {
    owedMs = Math.max(0, owedMs - (turn.atMs - lastMs));
    owedMs = 'costMs' in turn ? owedMs + turn.costMs : Math.min(owedMs, turn.burstMs);
    lastMs = turn.atMs;
  }
  return Math.max(0, owedMs - (atMs - lastMs));
}

describe('a call that is refused after it was let in', () => {
  const steps = fc.array(
    fc.record({
      pause: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3, noNaN: true })),
      does: fc.constantFrom('call', 'call', 'call', 'giveBack', 'end', 'changeRate'),
      which: fc.nat(),
    }),
    { maxLength: 120, size: 'max' },
  );
  /** One that never changes, or several of very different bursts. */
  const changingRates = fc.oneof(
    fc.tuple(rates),
    fc.array(fc.record({ count: fc.integer({ min: 1, max: 9 }), perMs: fc.integer({ min: 1, max: 99 }) }), {
      minLength: 2,
      maxLength: 4,
    }),
  );

  it('has its caller owe what would be owed if it had never come, also when its rate is changed meanwhile', () => {
    fc.assert(
      fc.property(changingRates, steps, (several, history) => {
        const limiter = new RateLimiter();
        let rate = several[0]!;
        let turns: Turn[] = [];
        const inFlight: { turn: Turn; take: Take }[] = [];
        let atMs = 0;
        for (const { pause, does, which } of history) {
          // As long as a call takes to be paid off is what matters.
          const costMs = rate.perMs / rate.count;
          atMs += Math.floor(pause * costMs);
          if (does === 'changeRate') rate = several[which % several.length]!;
          limiter.forgive(1, rate, atMs);
          turns.push({ atMs, burstMs: rate.perMs });
          const debtMs = limiter.debtMs(1, rate, atMs);
          if (does === 'call' && callsLeft(rate, debtMs) > 0) {
            const turn = { atMs, costMs: rate.perMs / rate.count };
            inFlight.push({ turn, take: limiter.take(1, rate, debtMs, atMs) });
            turns.push(turn);
          } else if (does === 'giveBack' || does === 'end') {
            const [call] = inFlight.splice(which % Math.max(1, inFlight.length), 1);
            if (does === 'giveBack') {
              call?.take.giveBack();
              turns = turns.filter((turn) => turn !== call?.turn);
            }
            call?.take.end();
          }
          expect(limiter.debtMs(1, rate, atMs)).toBeCloseTo(debtAfter(turns, atMs), 4);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives back what it has taken once, and nothing after its end', () => {
    const rate = { count: 2, perMs: 1_000 };
    const limiter = new RateLimiter();
    const [first, second] = [limiter.take(1, rate, 0, 0), limiter.take(1, rate, 500, 0)];
    second.giveBack();
    second.giveBack();
    expect(limiter.debtMs(1, rate, 0)).toBe(500);
    first.end();
    first.giveBack();
    expect(limiter.debtMs(1, rate, 0)).toBe(500);
  });

  it('gives back nothing that time has given already', () => {
    const rate = { count: 10, perMs: 1_000 };
    const limiter = new RateLimiter();
    const caller = createCaller(rate, limiter);
    const slow = limiter.take(1, rate, 0, 0);
    expect(Array.from({ length: 11 }, () => caller(10_000)).filter(Boolean)).toHaveLength(10);
    slow.giveBack();
    expect(caller(10_000)).toBe(false);
  });

  it('gives back nothing that a new rate has forgiven', () => {
    const slow = { count: 2, perMs: 3_600_000 };
    const fast = { count: 2, perMs: 1_000 };
    const limiter = new RateLimiter();
    const [first, second] = [limiter.take(1, slow, 0, 0), limiter.take(1, slow, 1_800_000, 0)];
    limiter.forgive(1, fast, 0);
    first.giveBack();
    expect(limiter.debtMs(1, fast, 0)).toBe(1_000);
    second.giveBack();
    expect(limiter.debtMs(1, fast, 0)).toBe(0);
  });

  it('leaves other callers alone, also among a million of them', () => {
    const rate = { count: 1, perMs: 1_000 };
    const limiter = new RateLimiter();
    const takes = [1, 2, 1_000_000].map((no) => limiter.take(no, rate, 0, 0));
    takes[2]!.giveBack();
    expect([1, 2, 1_000_000].map((no) => limiter.debtMs(no, rate, 0))).toEqual([1_000, 1_000, 0]);
  });
});
