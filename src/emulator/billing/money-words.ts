/** Money and prices as words, for invoice lines and the hosted pages. */

import { type Decimal, decimal, plain } from '../../lib/decimal.js';
import type { PriceTerms } from '../../lib/pricing.js';

/** Currencies without a minor unit. https://docs.stripe.com/currencies#zero-decimal */
const zeroDecimal = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf'.split(' '));
/** Currencies whose minor unit is a thousandth. https://docs.stripe.com/currencies#three-decimal */
const threeDecimal = new Set('bhd jod kwd omr tnd'.split(' '));

/** Most digits an amount can have behind the point: 12 of the minor unit, and the minor unit's own. */
const fractionDigitsMax = 15;

/** An amount in minor units as people read it: `$1.00`, `$0.0005`; with `country`, `US$1.00`. */
export function moneyWords(
  amountMinor: Decimal | number,
  currency: string,
  name: 'symbol' | 'country' = 'symbol',
) {
  const digits = minorDigits(currency);
  const major = decimal(amountMinor.toString()).div(10 ** digits);
  const format = new Intl.NumberFormat(name === 'symbol' ? 'en-US' : 'en-GB', {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: fractionDigitsMax,
  });
  // The formatter reads decimal text exactly; as a number, digits would be lost.
  return format.format(plain(major) as `${number}`);
}

/** How many digits the minor unit of a currency has behind the point. */
function minorDigits(currency: string): number {
  return zeroDecimal.has(currency) ? 0 : threeDecimal.has(currency) ? 3 : 2;
}

/** How often a price recurs. */
export interface Rhythm {
  interval: string;
  interval_count: number;
}

/** `month`, `3 months`. */
export function intervalWords({ interval, interval_count }: Rhythm): string {
  return interval_count === 1 ? interval : `${interval_count} ${interval}s`;
}

/** `monthly`, `daily`, `every 3 months`. */
function rhythmWords(rhythm: Rhythm): string {
  const single: Record<string, string> = { day: 'daily', week: 'weekly', month: 'monthly', year: 'yearly' };
  const word = single[rhythm.interval];
  return rhythm.interval_count === 1 && word ? word : `every ${intervalWords(rhythm)}`;
}

/** A price to sell: its terms, currency, rhythm and what one unit is called. */
export interface Offer {
  terms: PriceTerms;
  currency: string;
  rhythm: Rhythm;
  metered: boolean;
  unit: string;
}

/** The price in one sentence: `US$1.00 per call, billed monthly by usage`; `US$29.00, billed monthly`. */
export function offerWords(offer: Offer): string {
  const { terms, currency, unit } = offer;
  const billed = `billed ${rhythmWords(offer.rhythm)}${offer.metered ? ' by usage' : ''}`;
  if (terms.billing_scheme === 'tiered') {
    const mode = terms.tiers_mode === 'volume' ? 'by volume' : 'in steps';
    return `Priced per ${unit} ${mode}, ${billed}`;
  }
  const amount = moneyWords(decimal(terms.unit_amount_decimal ?? '0'), currency, 'country');
  const size = terms.transform_quantity?.divide_by;
  const per = size
    ? ` per ${size.toLocaleString('en')} ${plural(unit)}`
    : offer.metered
      ? ` per ${unit}`
      : '';
  return `${amount}${per}, ${billed}`;
}

/** A tier as three cells: which units, what each costs, what the tier itself costs. */
export interface TierRow {
  units: string;
  each: string;
  flat: string | null;
}

/** The tiers of an offer as rows of a table; none where the price has no tiers. */
export function tierRows(offer: Offer): TierRow[] {
  let first = 1;
  return (offer.terms.tiers ?? []).map((tier) => {
    const from = first.toLocaleString('en');
    const units = tier.up_to === null ? `${from} and more` : `${from} to ${tier.up_to.toLocaleString('en')}`;
    first = (tier.up_to ?? 0) + 1;
    const money = (amount: string | null) => moneyWords(decimal(amount ?? '0'), offer.currency, 'country');
    const flat = tier.flat_amount_decimal === null ? null : money(tier.flat_amount_decimal);
    return { units, each: money(tier.unit_amount_decimal), flat };
  });
}

function plural(unit: string): string {
  return unit.endsWith('s') ? unit : `${unit}s`;
}
