/** Exact decimal arithmetic for money; the one home of big.js. */

import Big from 'big.js';

/** An exact decimal number. Immutable. */
export type Decimal = Big;

/** Reads a plain or exponent notation decimal. Throws on anything that is not a number. */
export function decimal(value: string | number | bigint): Decimal {
  return new Big(typeof value === 'bigint' ? value.toString() : value);
}

/** The value in plain notation, never with an exponent, without trailing zeros: `0.05`, `100000`. */
export function plain(value: Decimal): string {
  const text = value.toFixed();
  return text === '-0' ? '0' : text;
}

/** Rounds to a whole number, halves away from zero. */
export function roundHalfUp(value: Decimal): Decimal {
  return value.round(0, Big.roundHalfUp);
}
