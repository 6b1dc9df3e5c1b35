/** Money, counts and times as the pages say them. */

import { describe, expect, it } from 'vitest';
import {
  countWords,
  dayWords,
  minorWords,
  moneyWords,
  plural,
  timeWords,
} from '../../src/http/pages/words.js';

describe('the words of the pages', () => {
  it('say money exactly, however small', () => {
    expect(moneyWords('1', 'usd')).toBe('US$1.00');
    expect(moneyWords('0.000000000000015', 'usd')).toBe('US$0.000000000000015');
    expect(moneyWords('123456789012.10', 'eur')).toBe('€123,456,789,012.10');
    expect(moneyWords('50', 'jpy')).toBe('JP¥50');
    expect(minorWords(215, 'usd')).toBe('US$2.15');
    expect(minorWords('1500', 'kwd')).toMatch(/^KWD\s1\.500$/);
  });

  it('count nouns', () => {
    expect(countWords(1, 'call')).toBe('1 call');
    expect(countWords(1234, 'call')).toBe('1,234 calls');
    expect(['query', 'day', 'search', 'box', 'image'].map(plural)).toEqual([
      'queries',
      'days',
      'searches',
      'boxes',
      'images',
    ]);
  });

  it('tell days and times in UTC', () => {
    expect(dayWords(Date.UTC(2026, 11, 1, 23, 59))).toBe('1 December 2026');
    expect(timeWords(Date.UTC(2026, 11, 1, 3, 4))).toBe('1 December 2026 at 03:04 UTC');
  });
});
