import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rfc3339 } from '../../src/lib/rfc3339.js';
import { agoText, parseTime, timeText } from '../../src/terminal/time.js';

const now = Date.parse('2026-11-22T08:00:00Z');

describe('times', () => {
  it.each([
    ['2026-11-01', '2026-11-01T00:00:00Z'],
    ['2026-11-01T09:30:00Z', '2026-11-01T09:30:00Z'],
    ['2026-11-01t09:30:00z', '2026-11-01T09:30:00Z'],
    ['2026-11-01 09:30:00Z', '2026-11-01T09:30:00Z'],
    ['2026-11-01T09:30:00.25+02:00', '2026-11-01T07:30:00.250Z'],
    ['2028-02-29', '2028-02-29T00:00:00Z'],
  ])('reads %s', (text, iso) => {
    expect(rfc3339(parseTime(text)!)).toBe(iso);
  });

  it.each([
    '',
    'yesterday',
    '2026-02-29',
    '2026-13-01',
    '2026-11-31',
    '2026-11-01T24:00:00Z',
    '2026-11-01T09:30:00',
    '2026-11-01T09:30Z',
    '2026-11-01T09:30:00+25:00',
    '1790000000',
  ])('refuses %j', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (ms) => {
        expect(parseTime(rfc3339(ms))).toBe(ms);
        expect(parseTime(rfc3339(ms).slice(0, 10))).toBe(ms - (ms % 86_400_000));
      }),
    );
  });

  it.each([
    [0, 'just now'],
    [-900, 'just now'],
    [-1000, '1 second ago'],
    [-2 * 3_600_000, '2 hours ago'],
    [3 * 86_400_000 + 5, 'in 3 days'],
    [-800 * 86_400_000, '2 years ago'],
  ])('tells %d ms from now as %s', (distance, text) => {
    expect(agoText(now + distance, now)).toBe(text);
  });

  it('speaks to people and to programs', () => {
    expect(timeText({ isTty: true }, now - 60_000, now)).toBe('1 minute ago');
    expect(timeText({ isTty: false }, now - 60_000, now)).toBe('2026-11-22T07:59:00Z');
    expect(timeText({ isTty: true }, null, now)).toBe('never');
  });
});
