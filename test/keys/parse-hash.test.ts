import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatKeyHash, parseKeyHash } from '../../src/keys/parse-hash.js';

const digest = createHash('sha256').update('secret').digest();
const bcrypt = `$2b$10$${'a'.repeat(53)}`;
const argon2 = `$argon2id$v=19$m=19456,t=2,p=1$${'a'.repeat(22)}$${'b'.repeat(43)}`;

describe('a hash from elsewhere', () => {
  it.each([
    ['hexadecimal', digest.toString('hex')],
    ['capital hexadecimal', digest.toString('hex').toUpperCase()],
    ['base64', digest.toString('base64')],
    ['base64url', digest.toString('base64url')],
    ['its own words', `sha256:${digest.toString('hex')}`],
  ])('is read in %s', (_, text) => {
    const hash = parseKeyHash(text, 'sha256', undefined);
    expect(hash.kind).toBe('sha256');
    expect('digest' in hash && Buffer.from(hash.digest).equals(digest)).toBe(true);
    expect(formatKeyHash(hash)).toBe(`sha256:${digest.toString('hex')}`);
  });

  it('is what it says, or else what it is said to be', () => {
    const hex = digest.toString('hex');
    expect(parseKeyHash(hex, 'hmac-sha256', undefined).kind).toBe('hmac-sha256');
    expect(parseKeyHash(`sha256:${hex}`, 'hmac-sha256', undefined).kind).toBe('sha256');
    expect(parseKeyHash(`hmac-sha256:${hex}`, 'sha256', undefined).kind).toBe('hmac-sha256');
    expect(parseKeyHash(bcrypt, 'sha256', 'live')).toEqual({
      kind: 'bcrypt',
      encoded: bcrypt,
      lookup: 'live',
    });
    expect(parseKeyHash(argon2, 'sha256', 'live')).toMatchObject({ kind: 'argon2', encoded: argon2 });
  });

  it.each([
    ['', undefined, 'SHA-256'],
    ['sha256:', undefined, 'SHA-256'],
    [digest.toString('hex').slice(1), undefined, 'SHA-256'],
    ['md5:d41d8cd98f00b204e9800998ecf8427e', undefined, 'SHA-256'],
    [bcrypt, undefined, 'needs lookup'],
    [bcrypt, 'abc', 'needs lookup'],
    [bcrypt, 'a'.repeat(25), 'needs lookup'],
    [bcrypt.replace('$10$', '$31$'), 'live', 'cost'],
    [bcrypt.slice(1, -1).padStart(59, '$'), 'live', 'bcrypt'],
    [argon2.replace('m=19456', 'm=9999999'), 'live', 'at most'],
    [argon2.replace('t=2', 't=99'), 'live', 'at most'],
    [argon2.replace('p=1', 'p=0'), 'live', 'at most'],
    [argon2.replace('v=19', 'v=16'), 'live', 'argon2'],
  ])('%s is refused without being quoted', (text, lookup, message) => {
    expect(() => parseKeyHash(text, 'sha256', lookup)).toThrow(message);
    try {
      parseKeyHash(text, 'sha256', lookup);
    } catch (error) {
      if (text !== '') expect(String(error)).not.toContain(text);
    }
  });
});
