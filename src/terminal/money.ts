/** Money and counts as people read them. */

import { majorFromMinor } from '../domain/money.js';

/** An amount in minor units with its currency: 215 cents are `2.15 USD`. */
export function moneyText(minor: string | number, currency: string): string {
  return `${groupThousands(majorFromMinor(minor, currency))} ${currency.toUpperCase()}`;
}

/** A whole number with its thousands apart: `1,234,567`. */
export function countText(count: number): string {
  return groupThousands(String(count));
}

/** A count with its noun: `1 call`, `2 calls`. */
export function countOf(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function groupThousands(text: string): string {
  const [whole = '', fraction] = text.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
