/** Money and prices as people read them. */

import { describe, expect, it } from 'vitest';
import { moneyWords, type Offer, offerWords, tierRows } from '../../../src/emulator/billing/money-words.js';
import { decimal } from '../../../src/lib/decimal.js';

const offer: Offer = {
  terms: {
    billing_scheme: 'per_unit',
    tiers_mode: null,
    transform_quantity: null,
    unit_amount_decimal: '100',
  },
  currency: 'usd',
  rhythm: { interval: 'month', interval_count: 1 },
  metered: true,
  unit: 'call',
};

describe('money in words', () => {
  it('keeps every digit of a small amount', () => {
    expect(moneyWords(100, 'usd')).toBe('$1.00');
    expect(moneyWords(decimal('3.6'), 'usd')).toBe('$0.036');
    expect(moneyWords(decimal('0.000000000001'), 'usd')).toBe('$0.00000000000001');
  });

  it('knows currencies without or with another minor unit', () => {
    expect(moneyWords(500, 'jpy')).toBe('¥500');
    expect(moneyWords(1234, 'kwd').replace(/\s/u, ' ')).toBe('KWD 1.234');
  });

  it('names the country where asked', () => {
    expect(moneyWords(100, 'usd', 'country')).toBe('US$1.00');
    expect(moneyWords(decimal('0.5'), 'eur', 'country')).toBe('€0.005');
  });
});

describe('a price in words', () => {
  it('says amount, unit and rhythm', () => {
    expect(offerWords(offer)).toBe('US$1.00 per call, billed monthly by usage');
    const yearly = { ...offer, rhythm: { interval: 'month', interval_count: 3 }, metered: false };
    expect(offerWords(yearly)).toBe('US$1.00, billed every 3 months');
  });

  it('says packages', () => {
    const terms = { ...offer.terms, transform_quantity: { divide_by: 1000, round: 'up' } };
    expect(offerWords({ ...offer, terms })).toBe('US$1.00 per 1,000 calls, billed monthly by usage');
  });

  it('lists tiers', () => {
    const tiers = [
      { up_to: 1000, unit_amount_decimal: '0', flat_amount_decimal: '900' },
      { up_to: null, unit_amount_decimal: '3.6', flat_amount_decimal: null },
    ];
    const terms = { ...offer.terms, billing_scheme: 'tiered', tiers_mode: 'graduated', tiers };
    expect(offerWords({ ...offer, terms })).toBe('Priced per call in steps, billed monthly by usage');
    expect(tierRows({ ...offer, terms })).toEqual([
      { units: '1 to 1,000', each: 'US$0.00', flat: 'US$9.00' },
      { units: '1,001 and more', each: 'US$0.036', flat: null },
    ]);
  });
});
