import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOf, countText, moneyText } from '../../src/terminal/money.js';

describe('money and counts as text', () => {
  it.each([
    [215, 'usd', '2.15 USD'],
    ['0.015', 'usd', '0.00015 USD'],
    [123456789, 'usd', '1,234,567.89 USD'],
    [500, 'jpy', '500 JPY'],
    [1500, 'kwd', '1.500 KWD'],
  ])('%s %s is %s', (minor, currency, text) => {
    expect(moneyText(minor, currency)).toBe(text);
  });

  it('groups every count without losing a digit', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (count) => {
        expect(Number(countText(count).replaceAll(',', ''))).toBe(count);
        expect(countText(count)).toMatch(/^-?\d{1,3}(,\d{3})*$/);
      }),
    );
  });

  it('counts nouns', () => {
    expect([countOf(1, 'call'), countOf(0, 'call'), countOf(1200, 'call')]).toEqual([
      '1 call',
      '0 calls',
      '1,200 calls',
    ]);
  });
});
