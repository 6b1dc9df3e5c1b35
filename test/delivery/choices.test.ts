/** Every choice that adds up is found, or that there are several. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { choicesOf } from '../../src/delivery/choices.js';

it('finds what trying everything finds', () => {
  const numbers = fc.array(fc.integer({ min: -6, max: 9 }), { maxLength: 9 });
  fc.assert(
    fc.property(numbers, fc.integer({ min: -10, max: 30 }), (units, sum) => {
      let all = 0;
      for (let bits = 0; bits < 2 ** units.length; bits += 1) {
        const chosen = units.filter((_, place) => (bits >> place) & 1);
        if (chosen.reduce((total, each) => total + each, 0) === sum) all += 1;
      }
      const found = choicesOf(units, sum) ?? [];
      expect(found).toHaveLength(Math.min(2, all));
      for (const choice of found) {
        expect(new Set(choice).size).toBe(choice.length);
        expect(choice.reduce((total, place) => total + (units[place] ?? 0), 0)).toBe(sum);
      }
    }),
  );
});

it('sees at once that all or none are meant, however many there are', () => {
  const units = Array.from({ length: 2_000 }, (_, n) => n + 1);
  expect(choicesOf(units, 0)).toEqual([[]]);
  expect(choicesOf(units, 2_001_000)?.[0]).toHaveLength(2_000);
});

it('gives up where there are too many to look at', () => {
  // Only even numbers, of which none add up to an odd one.
  const units = Array.from({ length: 60 }, (_, n) => 2 ** 30 + 2 ** (n % 30) * 2);
  expect(choicesOf(units, 30 * 2 ** 30 + 1)).toBeUndefined();
});
