/** The secret of an API key: `mk_<live|test>_<24 random characters>_<6 characters of checksum>`, in base62. */

import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Mode } from '../domain/mode.js';
import type { Random } from '../lib/host.js';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 24 characters of base62 are 142 bits. */
const randomLength = 24;
const checksumLength = 6;

/** The length of what stands before the mode: `mk`, or what the operator has chosen, now or earlier. */
export const prefixLength = { min: 2, max: 12 } as const;

/** All of a secret but its prefix, as a regular expression. */
export const secretTailPattern = `_(?:live|test)_[0-9A-Za-z]{${randomLength}}_[0-9A-Za-z]{${checksumLength}}`;

/** A secret with any operator's prefix, as a regular expression. The checksum tells it from a look-alike. */
export const secretPattern = `[a-z][a-z0-9]{${prefixLength.min - 1},${prefixLength.max - 1}}${secretTailPattern}`;

const wholeSecret = new RegExp(`^${secretPattern}$`);

/** The longest secret: what is longer is refused unread. */
export const secretLengthMax = prefixLength.max + '_test_'.length + randomLength + 1 + checksumLength;

/** A freshly made secret and what may be kept of it. */
export interface MintedSecret {
  /** Shown once, never stored. */
  secret: string;
  /** SHA-256 of the secret. */
  hash: Uint8Array;
  /** `mk_test_…Ab3d`: tells keys apart without giving them away. */
  hint: string;
}

/** What every secret of this operator and mode begins with: `mk_test_`. Only live mode makes `mk_live_` keys. */
export function secretPrefix(keyPrefix: string, mode: Mode): string {
  return `${keyPrefix}_${mode === 'live' ? 'live' : 'test'}_`;
}

/** Makes a secret that begins with `prefix`, which `secretPrefix` made. */
export function mintSecret(prefix: string, random: Random): MintedSecret {
  const body = `${prefix}${randomText(random, randomLength)}`;
  const secret = `${body}_${checksumOf(body)}`;
  return { secret, hash: hashSecret(secret), hint: hintOf(secret) };
}

/** Whether the text has the form of a secret and its checksum is right. Costs no look-up, so garbage is turned away here. */
export function isWellFormed(text: string): boolean {
  if (text.length > secretLengthMax || !wholeSecret.test(text)) return false;
  const end = text.length - checksumLength;
  return checksumOf(text.slice(0, end - 1)) === text.slice(end);
}

/** Whether the text begins as this operator's secrets do. If it is not well-formed then, it is no key, not even from elsewhere. */
export function isOfOwnForm(text: string, keyPrefix: string): boolean {
  return text.startsWith(`${keyPrefix}_live_`) || text.startsWith(`${keyPrefix}_test_`);
}

/** What may be shown of a well-formed secret. */
export function hintOf(secret: string): string {
  return `${secret.slice(0, secret.indexOf('_') + '_test_'.length)}…${secret.slice(-4)}`;
}

/** The text with hints in the place of keys: one may have been typed where something else was asked for. */
export function withoutKeys(text: string): string {
  return text.replace(new RegExp(secretPattern, 'g'), hintOf);
}

/** SHA-256 of the secret. A secret has 142 random bits, so a slow hash would add nothing. */
export function hashSecret(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer');
}

/** The same as a string of one character a byte, which is what memory finds keys by: it costs less than half. */
export function hashNameOf(secret: string): string {
  return hash('sha256', secret, 'binary');
}

function checksumOf(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let place = 0; place < checksumLength; place += 1) {
    text = `${alphabet[rest % 62]}${text}`;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** Bytes of 248 and above are thrown away: 248 is 4 x 62, so each character is equally likely. */
function randomText(random: Random, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < 248 && text.length < length) text += alphabet[byte % 62];
    }
  }
  return text;
}
