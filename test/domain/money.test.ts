import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costMinor, majorFromMinor, minorFromMajor } from '../../src/domain/money.js';

describe('money', () => {
  it.each([
    ['0.05', 'usd', '5'],
    ['1', 'usd', '100'],
    ['0.00015', 'usd', '0.015'],
    ['12', 'jpy', '12'],
    ['1.234', 'kwd', '1234'],
    ['0.00000000000001', 'usd', '0.000000000001'],
  ])('%s %s is %s minor units', (major, currency, minor) => {
    expect(minorFromMajor(major, currency)).toBe(minor);
  });

  it.each(['', '-1', '1e3', '0x1', '1,5', ' 1', '.5', '0.000000000000001', '9'.repeat(13)])(
    'refuses %j',
    (text) => {
      expect(() => minorFromMajor(text, 'usd')).toThrow(/is not an amount|more decimal places/);
    },
  );

  it.each([
    ['215', 'usd', '2.15'],
    ['5', 'usd', '0.05'],
    ['100', 'usd', '1.00'],
    ['0.015', 'usd', '0.00015'],
    ['12', 'jpy', '12'],
    ['-5', 'usd', '-0.05'],
  ])('%s minor units of %s are %s', (minor, currency, major) => {
    expect(majorFromMinor(minor, currency)).toBe(major);
  });

  it('survives the way there and back', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('usd', 'jpy', 'kwd'), (minor, currency) => {
        expect(minorFromMajor(majorFromMinor(minor, currency), currency)).toBe(String(minor));
      }),
    );
  });

  it('rounds a total once, halves up', () => {
    expect(costMinor(3, '0.5')).toBe(2);
    expect(costMinor(1_000_000, '0.015')).toBe(15_000);
  });
});
