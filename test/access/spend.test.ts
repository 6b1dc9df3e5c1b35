import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { affordableUnits, costOf } from '../../src/access/spend.js';
import { type PriceTerms, perUnitTerms } from '../../src/lib/pricing.js';

/** One unit after the other. */
function walk(terms: PriceTerms, capMinor: number, fromUnits: number, walkMax = 400): number {
  let units = fromUnits;
  while (units <= walkMax && costOf(terms, units) <= capMinor) units += 1;
  return units - 1;
}

function tiered(mode: 'graduated' | 'volume', tiers: [number | null, string, string | null][]): PriceTerms {
  return {
    ...perUnitTerms('0'),
    billing_scheme: 'tiered',
    tiers_mode: mode,
    tiers: tiers.map(([up_to, unit_amount_decimal, flat_amount_decimal]) => ({
      ...{ up_to, unit_amount_decimal, flat_amount_decimal },
    })),
  };
}

const amounts = fc.integer({ min: 0, max: 3_000 }).map((thousandths) => `${thousandths / 1000}`);
const flatFees = fc.option(fc.integer({ min: 0, max: 50 }).map(String));

const anyTerms = fc.oneof(
  amounts.map(perUnitTerms),
  fc
    .record({ divide_by: fc.integer({ min: 1, max: 50 }), round: fc.constantFrom('up', 'down') })
    .map((transform_quantity) => ({ ...perUnitTerms('7'), transform_quantity })),
  fc
    .record({
      mode: fc.constantFrom('graduated', 'volume'),
      ends: fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 3 }),
      rows: fc.array(fc.tuple(amounts, flatFees), { minLength: 4, maxLength: 4 }),
    })
    .map(({ mode, ends, rows }) => {
      const up = [...ends.sort((a, b) => a - b), null];
      return tiered(
        mode,
        up.map((end, index) => [end, rows[index]![0], rows[index]![1]]),
      );
    }),
);

describe('what a spend cap leaves', () => {
  it('is what walking up unit by unit finds', () => {
    fc.assert(
      fc.property(anyTerms, fc.nat({ max: 300 }), fc.nat({ max: 250 }), (terms, capMinor, fromUnits) => {
        expect(Math.min(400, affordableUnits(terms, capMinor, fromUnits))).toBe(
          walk(terms, capMinor, fromUnits),
        );
      }),
    );
  });

  it('counts as the invoice rounds', () => {
    expect(affordableUnits(perUnitTerms('5'), 100, 0)).toBe(20);
    expect(affordableUnits(perUnitTerms('0.015'), 1, 0)).toBe(99);
    expect(affordableUnits(perUnitTerms('0.000000000001'), 999_999_999, 0)).toBe(999_999_999_999_999);
    expect(affordableUnits(perUnitTerms('999999999999'), 1, 0)).toBe(0);
    expect(affordableUnits(perUnitTerms('0'), 0, 5)).toBe(999_999_999_999_999);
    expect(affordableUnits(perUnitTerms('5'), 100, 30)).toBe(29);
    expect(affordableUnits(perUnitTerms('5'), 100, -3)).toBe(20);
  });

  it('never walks over what would have cost too much to reach a cheaper tier', () => {
    const volume = tiered('volume', [
      [100, '100', null],
      [null, '50', null],
    ]);
    expect(costOf(volume, 101)).toBeLessThan(8_000);
    expect(affordableUnits(volume, 8_000, 0)).toBe(80);
    expect(affordableUnits(volume, 8_000, 101)).toBe(160);
  });
});
