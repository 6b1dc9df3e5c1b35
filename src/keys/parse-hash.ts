/** Reads the hashes of keys that were issued elsewhere, and refuses those that would cost too much to check. */

import { Buffer } from 'node:buffer';
import { MeterctlError } from '../domain/error.js';
import { type KeyHash, lookupLength, type SlowHash } from '../domain/key-hash.js';

/** What a digest without a word before it is. */
export type DigestKind = 'sha256' | 'hmac-sha256';

const bcryptPattern = /^\$2[aby]\$(\d\d)\$[./0-9A-Za-z]{53}$/;
const argon2Pattern =
  /^\$argon2(?:id|i|d)\$v=19\$m=(\d{1,9}),t=(\d{1,4}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,88}$/;

/** Beyond these a single guess at a key would keep a core or the memory busy. Costs are those of today's defaults and more. */
const costMax = { bcrypt: 14, argon2KiB: 256 * 1024, argon2Passes: 10, argon2Lanes: 16 };

/**
 * Reads 64 hexadecimal digits, 32 bytes in base64, either with `sha256:` or `hmac-sha256:` before them, a bcrypt or an argon2
 * hash. A slow hash needs `lookup`, the first characters of the secret. Throws `invalid`; the message never quotes the hash.
 */
export function parseKeyHash(text: string, plain: DigestKind, lookup: string | undefined): KeyHash {
  if (text.startsWith('$2')) return slowHash('bcrypt', text, lookup);
  if (text.startsWith('$argon2')) return slowHash('argon2', text, lookup);
  const [, kind = plain, encoded = ''] = /^(?:(sha256|hmac-sha256):)?(.*)$/.exec(text) ?? [];
  const digest = digestOf(encoded);
  if (!digest) {
    throw invalid('the hash must be SHA-256 in hexadecimal or base64, or a bcrypt or argon2 hash');
  }
  return { kind: kind === 'sha256' ? 'sha256' : 'hmac-sha256', digest };
}

/** Writes a hash as `parseKeyHash` reads it. */
export function formatKeyHash(hash: KeyHash): string {
  if ('encoded' in hash) return hash.encoded;
  return `${hash.kind}:${Buffer.from(hash.digest).toString('hex')}`;
}

function digestOf(text: string): Uint8Array | undefined {
  if (/^[0-9A-Fa-f]{64}$/.test(text)) return Buffer.from(text, 'hex');
  // Both alphabets of base64, with or without its padding.
  return /^[\w+/-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

function slowHash(kind: SlowHash['kind'], encoded: string, lookup: string | undefined): SlowHash {
  if (kind === 'bcrypt') requireBcrypt(encoded);
  else requireArgon2(encoded);
  const { min, max } = lookupLength;
  if (lookup === undefined || lookup.length < min || lookup.length > max || !/^[\x21-\x7e]+$/.test(lookup)) {
    throw invalid(`a ${kind} hash needs lookup, the first ${min} to ${max} characters of the key`);
  }
  return { kind, encoded, lookup };
}

function requireBcrypt(encoded: string): void {
  const cost = bcryptPattern.exec(encoded)?.[1];
  if (cost === undefined) throw invalid('this is no bcrypt hash');
  if (Number(cost) < 4 || Number(cost) > costMax.bcrypt) {
    throw invalid(`the cost of a bcrypt hash must be 4 to ${costMax.bcrypt}`);
  }
}

function requireArgon2(encoded: string): void {
  const match = argon2Pattern.exec(encoded);
  if (!match) throw invalid('this is no argon2 hash of version 19');
  const [memoryKiB = 0, passes = 0, lanes = 0] = match.slice(1).map(Number);
  if (
    memoryKiB > costMax.argon2KiB ||
    passes > costMax.argon2Passes ||
    lanes > costMax.argon2Lanes ||
    memoryKiB < 8 * lanes ||
    passes < 1 ||
    lanes < 1
  ) {
    throw invalid(
      `an argon2 hash may use at most m=${costMax.argon2KiB}, t=${costMax.argon2Passes}, p=${costMax.argon2Lanes}`,
    );
  }
}

function invalid(message: string): MeterctlError {
  return new MeterctlError('invalid', message);
}
