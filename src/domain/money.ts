/** Money: exact decimals in minor units inside, decimal strings in major units at the edges. */

import { decimal, plain, roundHalfUp } from '../lib/decimal.js';
import { MeterctlError } from './error.js';

/** Currencies that Stripe counts without a minor unit (Stripe: currencies, zero-decimal). */
const zeroDecimal = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));

/** Currencies that Stripe counts in thousandths (Stripe: currencies, three-decimal). */
const threeDecimal = new Set('bhd jod kwd omr tnd'.split(' '));

/** Stripe takes at most so many decimal places of a minor unit in `unit_amount_decimal` (stripe-facts 4). */
const minorPlacesMax = 12;

/** How many decimal places the currency's minor unit stands for: 2 for `usd`, 0 for `jpy`. */
function minorPlaces(currency: string): number {
  const code = currency.toLowerCase();
  if (zeroDecimal.has(code)) return 0;
  return threeDecimal.has(code) ? 3 : 2;
}

/**
 * Turns `"0.05"` dollars into `"5"` cents; keeps fractions of a cent: `"0.00015"` is `"0.015"`.
 * Throws `invalid` for anything but a plain, non-negative decimal with at most 12 places of a minor unit.
 */
export function minorFromMajor(major: string, currency: string): string {
  if (!/^\d{1,12}(\.\d+)?$/.test(major)) {
    throw new MeterctlError('invalid', `"${major}" is not an amount of money.`, {
      hint: 'Write a plain decimal in major units, such as 0.05.',
    });
  }
  const minor = plain(decimal(major).times(decimal(10).pow(minorPlaces(currency))));
  if ((minor.split('.')[1]?.length ?? 0) > minorPlacesMax) {
    throw new MeterctlError('invalid', `"${major}" has more decimal places than Stripe can price.`, {
      hint: `Use at most ${minorPlacesMax + minorPlaces(currency)} places in ${currency.toUpperCase()}.`,
    });
  }
  return minor;
}

/** Turns `"50.00"` dollars into 5000 cents. Throws `invalid` for what is no amount of whole minor units. */
export function wholeMinorFromMajor(major: string, currency: string): number {
  const minor = Number(minorFromMajor(major, currency));
  if (Number.isSafeInteger(minor)) return minor;
  throw new MeterctlError(
    'invalid',
    `"${major}" is no whole number of ${currency.toUpperCase()}'s smallest unit.`,
    {
      hint: `Use at most ${minorPlaces(currency)} decimal places.`,
    },
  );
}

/** Turns minor units into major units with at least the currency's places: `215` cents is `"2.15"`, `"5"` is `"0.05"`. */
export function majorFromMinor(minor: string | number, currency: string): string {
  const places = minorPlaces(currency);
  const text = plain(decimal(minor).div(decimal(10).pow(places)));
  const fraction = text.split('.')[1] ?? '';
  return fraction.length >= places ? text : decimal(text).toFixed(places);
}

/** What `units` cost at a price per unit in minor units, rounded once to a whole minor unit. */
export function costMinor(units: number, unitAmountMinor: string): number {
  return roundHalfUp(decimal(unitAmountMinor).times(units)).toNumber();
}
