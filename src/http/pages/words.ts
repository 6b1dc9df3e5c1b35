/** Money, counts and times in the words of the pages. Times are in UTC, like billing periods. */

import { majorFromMinor } from '../../domain/money.js';

/** Most digits an amount can have behind the point: 12 of the minor unit, and the minor unit's own (stripe-facts 4). */
const fractionDigitsMax = 15;

/** An amount in major units as people read it: `US$1.00`, `US$0.0005`, `¥50`. */
export function moneyWords(major: string, currency: string): string {
  const format = new Intl.NumberFormat('en-GB', {
    style: 'currency',
    currency,
    maximumFractionDigits: fractionDigitsMax,
  });
  // The formatter reads decimal text exactly; as a number, digits would be lost.
  return format.format(major as `${number}`);
}

/** The same for an amount in minor units. */
export function minorWords(minor: string | number, currency: string): string {
  return moneyWords(majorFromMinor(minor, currency), currency);
}

/** A whole number with its thousands apart: `1,234`. */
export function numberWords(count: number): string {
  return count.toLocaleString('en-GB');
}

/** A count with its noun: `1 call`, `1,234 calls`. */
export function countWords(count: number, noun: string): string {
  return `${numberWords(count)} ${count === 1 ? noun : plural(noun)}`;
}

/** The plural of an English noun that follows the rules: `calls`, `queries`, `searches`. */
export function plural(noun: string): string {
  if (/[^aeiou]y$/i.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/i.test(noun) ? `${noun}es` : `${noun}s`;
}

/** A day: `10 December 2026`. */
export function dayWords(ms: number): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(ms);
}

/** A time: `10 December 2026 at 14:05 UTC`. */
export function timeWords(ms: number): string {
  const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' }).format(ms);
  return `${dayWords(ms)} at ${time} UTC`;
}
