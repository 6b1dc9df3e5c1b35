import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterDuration,
  beforeDuration,
  durationMs,
  formatDuration,
  parseDuration,
} from '../../src/lib/duration.js';

const march31 = Date.parse('2026-03-31T12:00:00Z');

describe('durations', () => {
  it.each([
    ['45s', 45_000],
    ['30m', 1_800_000],
    ['24h', 86_400_000],
    ['90d', 7_776_000_000],
    ['4w', 2_419_200_000],
  ])('reads %s', (text, ms) => {
    expect(durationMs(parseDuration(text)!)).toBe(ms);
  });

  it.each(['', '0s', '-1d', '1.5h', '90', 'd', '1 d', '1D', '1mon', '1y', '01d', '1234567s', '1d\n', ' 1d'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it('counts months by the calendar', () => {
    const month = parseDuration('1mo')!;
    expect(durationMs(month)).toBeUndefined();
    expect(new Date(afterDuration(march31, month)).toISOString()).toBe('2026-04-30T12:00:00.000Z');
    expect(new Date(beforeDuration(march31, month)).toISOString()).toBe('2026-02-28T12:00:00.000Z');
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), (seconds) => {
        const text = formatDuration(seconds * 1000);
        expect(durationMs(parseDuration(text)!)).toBe(seconds * 1000);
      }),
    );
  });

  it('goes there and back for fixed lengths', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.constantFrom('s', 'm', 'h', 'd', 'w'),
        (count, unit) => {
          const duration = parseDuration(`${count}${unit}`)!;
          expect(beforeDuration(afterDuration(march31, duration), duration)).toBe(march31);
        },
      ),
    );
  });
});
