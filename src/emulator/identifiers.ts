/** Ids that look like Stripe's: a prefix and random base62. */

import type { Random } from '../lib/host.js';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** How many characters follow the prefix, where it is not 24. */
const lengths: Record<string, number> = {
  acct: 16,
  cs_test: 58,
  cus: 14,
  mest_test: 48,
  prod: 14,
  req: 14,
  si: 14,
  whsec: 32,
};

/** A new id such as `cus_Q1x…`. `prefix` has no underscore at its end. */
export function createIdentifier(random: Random, prefix: string): string {
  const length = lengths[prefix] ?? 24;
  let text = '';
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      // 248 is the largest multiple of 62 in a byte: beyond it some characters would be likelier.
      if (byte < 248 && text.length < length) text += alphabet[byte % 62];
    }
  }
  return `${prefix}_${text}`;
}
