/** Billing periods: the anchor's day is kept where the month has it. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterPeriods, periodAt } from '../../../src/emulator/billing/period.js';

const sec = (iso: string) => Date.parse(iso) / 1000;
const monthly = { interval: 'month', interval_count: 1 };

describe('a billing period', () => {
  it('clamps the 31st to the end of a shorter month and comes back', () => {
    const anchor = sec('2026-01-31T10:00:00Z');
    expect(periodAt(anchor, monthly, sec('2026-02-10T00:00:00Z'))).toEqual({
      startSec: anchor,
      endSec: sec('2026-02-28T10:00:00Z'),
    });
    expect(periodAt(anchor, monthly, sec('2026-03-01T00:00:00Z'))).toEqual({
      startSec: sec('2026-02-28T10:00:00Z'),
      endSec: sec('2026-03-31T10:00:00Z'),
    });
  });

  it('starts anew at its very end', () => {
    const anchor = sec('2026-11-02T00:00:00Z');
    expect(periodAt(anchor, monthly, sec('2026-12-02T00:00:00Z')).startSec).toBe(sec('2026-12-02T00:00:00Z'));
  });

  it('contains its moment, for any anchor, rhythm and time', () => {
    const time = fc.integer({ min: 946_684_800, max: 2_000_000_000 });
    const rhythm = fc.record({
      interval: fc.constantFrom('day', 'week', 'month', 'year'),
      interval_count: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(time, rhythm, time, (anchor, every, at) => {
        const period = periodAt(anchor, every, at);
        expect(period.startSec).toBeLessThanOrEqual(at);
        expect(period.endSec).toBeGreaterThan(at);
        expect(periodAt(anchor, every, period.endSec).startSec).toBe(period.endSec);
      }),
    );
  });

  it('counts whole periods ahead', () => {
    expect(afterPeriods(sec('2026-01-15T00:00:00Z'), { interval: 'month', interval_count: 3 }, 2)).toBe(
      sec('2026-07-15T00:00:00Z'),
    );
  });
});
