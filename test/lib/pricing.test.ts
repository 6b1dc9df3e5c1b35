/** Prices as arithmetic: examples from Stripe's own invoices and documentation, and laws that hold for any price. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimal, plain, roundHalfUp } from '../../src/lib/decimal.js';
import { chargesFor, type PriceTerms, type Tier, totalMinor } from '../../src/lib/pricing.js';

function perUnit(amount: string, transform: PriceTerms['transform_quantity'] = null): PriceTerms {
  return {
    billing_scheme: 'per_unit',
    tiers_mode: null,
    transform_quantity: transform,
    unit_amount_decimal: amount,
  };
}

function tiered(
  mode: 'graduated' | 'volume',
  tiers: [number | null, string | null, string | null][],
): PriceTerms {
  return {
    billing_scheme: 'tiered',
    tiers_mode: mode,
    transform_quantity: null,
    unit_amount_decimal: null,
    tiers: tiers.map(([up_to, unit, flat]) => ({
      up_to,
      unit_amount_decimal: unit,
      flat_amount_decimal: flat,
    })),
  };
}

function bill(terms: PriceTerms, units: string): number {
  return totalMinor(chargesFor(terms, decimal(units)));
}

describe('a price per unit', () => {
  it('multiplies the whole period once and rounds half up', () => {
    expect(bill(perUnit('100'), '3')).toBe(300);
    expect(bill(perUnit('0.05'), '10')).toBe(1);
    expect(bill(perUnit('0.05'), '9')).toBe(0);
    expect(bill(perUnit('0.000000000001'), '500000000000')).toBe(1);
    expect(bill(perUnit('3.3'), '1.5')).toBe(5);
  });

  it('bills nothing for a negative period', () => {
    expect(bill(perUnit('100'), '-7')).toBe(0);
  });

  it('sells packages, rounded up or down', () => {
    expect(bill(perUnit('4', { divide_by: 100, round: 'up' }), '101')).toBe(8);
    expect(bill(perUnit('4', { divide_by: 100, round: 'down' }), '199')).toBe(4);
    expect(bill(perUnit('4', { divide_by: 100, round: 'up' }), '0')).toBe(0);
    expect(bill(perUnit('4', { divide_by: 3, round: 'up' }), '3')).toBe(4);
  });

  it('equals the exact product for any quantity and any amount', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.nat(1_000_000_000),
        fc.integer({ min: 0, max: 12 }),
        (units, digits, shift) => {
          const amount = decimal(digits).div(10 ** shift);
          const exact = roundHalfUp(amount.times(units));
          expect(bill(perUnit(plain(amount)), String(units))).toBe(Number(exact.toFixed()));
        },
      ),
    );
  });
});

describe('graduated tiers', () => {
  const credits = tiered('graduated', [
    [1000, '0', '900'],
    [null, '3.6', null],
  ]);

  it('lay out lines as Stripe does: each tier, then its flat fee', () => {
    const charges = chargesFor(credits, decimal('1031'));
    expect(charges.map((charge) => [charge.tier, plain(charge.quantity), charge.amountMinor])).toEqual([
      [1, '1000', 0],
      [1, '0', 900],
      [2, '31', 112],
      [2, '0', 0],
    ]);
  });

  it('count nothing used in the first tier', () => {
    expect(bill(credits, '0')).toBe(900);
    expect(chargesFor(credits, decimal(0)).map((charge) => charge.tier)).toEqual([1, 1]);
  });

  it('leave flat fees off where the price knows none', () => {
    const steps = tiered('graduated', [
      [5, '700', null],
      [10, '650', null],
      [null, '600', null],
    ]);
    expect(chargesFor(steps, decimal(5))).toHaveLength(1);
    expect(bill(steps, '6')).toBe(4150);
    expect(bill(steps, '20')).toBe(12_750);
  });
});

describe('volume tiers', () => {
  const fonts = tiered('volume', [
    [5, '700', null],
    [10, '650', '1000'],
    [null, '600', null],
  ]);

  it('bill all units at the tier of the last one', () => {
    expect(bill(fonts, '5')).toBe(3500);
    expect(bill(fonts, '6')).toBe(4900);
    expect(bill(fonts, '20')).toBe(12_000);
  });
});

const amount = fc.nat(100_000).map((digits) => plain(decimal(digits).div(1000)));
const tiers = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 0, maxLength: 4 }),
    fc.array(fc.tuple(amount, fc.option(amount)), { minLength: 5, maxLength: 5 }),
  )
  .map(([ends, amounts]): Tier[] => {
    const upTo = [...ends.sort((a, b) => a - b), null];
    return upTo.map((up_to, index) => {
      const [unit, flat] = amounts[index]!;
      return { up_to, unit_amount_decimal: unit, flat_amount_decimal: flat };
    });
  });

describe('any graduated price', () => {
  it('never gets cheaper with more use, and equals the sum over its tiers', () => {
    fc.assert(
      fc.property(tiers, fc.nat(20_000), fc.nat(5000), (list, units, more) => {
        const terms = { ...tiered('graduated', []), tiers: list };
        expect(bill(terms, String(units + more))).toBeGreaterThanOrEqual(bill(terms, String(units)));
        let below = 0;
        let sum = 0;
        for (const [index, tier] of list.entries()) {
          if (index > 0 && units <= below) break;
          const share = Math.min(units, tier.up_to ?? Number.POSITIVE_INFINITY) - below;
          sum += Number(roundHalfUp(decimal(tier.unit_amount_decimal ?? 0).times(share)).toFixed());
          sum += Number(roundHalfUp(decimal(tier.flat_amount_decimal ?? 0)).toFixed());
          below += share;
        }
        expect(bill(terms, String(units))).toBe(sum);
      }),
    );
  });

  it('splits the quantity without losing any of it', () => {
    fc.assert(
      fc.property(tiers, fc.nat(20_000), (list, units) => {
        const charges = chargesFor({ ...tiered('graduated', []), tiers: list }, decimal(units));
        const split = charges.reduce((sum, charge) => sum.plus(charge.quantity), decimal(0));
        expect(plain(split)).toBe(String(units));
      }),
    );
  });
});
