import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumberText } from '../../src/lib/number-text.js';

describe('text with numbers', () => {
  it('is what joining its pieces gives, whatever the numbers were before', () => {
    const digits = fc.oneof(
      fc.integer({ min: 0, max: 120 }),
      fc.maxSafeNat(),
      fc.constantFrom(9, 10, 99, 100, 2 ** 31, 999_999_999_999_999),
    );
    const histories = fc
      .integer({ min: 0, max: 4 })
      .chain((length) =>
        fc.tuple(
          fc.array(fc.string({ unit: 'grapheme-ascii' }), { minLength: length + 1, maxLength: length + 1 }),
          fc.array(fc.array(digits, { minLength: length, maxLength: length }), { maxLength: 20 }),
        ),
      );
    fc.assert(
      fc.property(histories, ([words, history]) => {
        const text = new NumberText(words);
        for (const numbers of history) {
          const joined = words.map((word, index) => `${word}${numbers[index] ?? ''}`).join('');
          expect(text.with(numbers)).toBe(joined);
        }
      }),
    );
  });

  it('counts down through every width', () => {
    const text = new NumberText(['"quota";r=', ';t=', '']);
    for (let left = 1_001; left >= 0; left -= 1) {
      expect(text.with([left, 60])).toBe(`"quota";r=${left};t=60`);
    }
    expect(text.with([1_001, 9])).toBe('"quota";r=1001;t=9');
  });
});
