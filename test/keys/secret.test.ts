import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hashSecret,
  isWellFormed,
  mintSecret,
  secretLengthMax,
  secretPattern,
  secretPrefix,
} from '../../src/keys/secret.js';
import { createFakeHost } from '../support/host.js';

describe('a secret', () => {
  it.each([
    ['emulator', 'mk_test_'],
    ['test', 'mk_test_'],
    ['live', 'mk_live_'],
  ] as const)('minted in %s mode starts with %s, fits the pattern and is well formed', (mode, prefix) => {
    const { secret, hash, hint } = mintSecret(secretPrefix('mk', mode), createFakeHost().random);
    expect(secret.startsWith(prefix)).toBe(true);
    expect(secret).toMatch(new RegExp(`^${secretPattern}$`));
    expect(isWellFormed(secret)).toBe(true);
    expect(Buffer.from(hash).equals(Buffer.from(hashSecret(secret)))).toBe(true);
    expect(hint).toBe(`${prefix}…${secret.slice(-4)}`);
  });

  it('may have a prefix of the operator, as long as the settings allow', () => {
    const { secret, hint } = mintSecret(secretPrefix('abcdefghijkl', 'live'), createFakeHost().random);
    expect(secret).toHaveLength(secretLengthMax);
    expect(isWellFormed(secret)).toBe(true);
    expect(hint).toBe(`abcdefghijkl_live_…${secret.slice(-4)}`);
    expect(isWellFormed(secret.replace('abcdefghijkl', 'abcdefghijkm'))).toBe(false);
  });

  it('differs each time', () => {
    const { random } = createFakeHost();
    const secrets = Array.from({ length: 1000 }, () => mintSecret('mk_test_', random).secret);
    expect(new Set(secrets).size).toBe(1000);
  });

  it('is recognised as broken when any one character changes', () => {
    const { secret } = mintSecret('mk_test_', createFakeHost().random);
    fc.assert(
      fc.property(fc.nat(secret.length - 1), fc.constantFrom(...'aZ09_é'), (at, character) => {
        fc.pre(secret[at] !== character);
        expect(isWellFormed(secret.slice(0, at) + character + secret.slice(at + 1))).toBe(false);
      }),
    );
  });

  it('turns garbage away, whatever its size', () => {
    for (const text of ['', 'mk_test_', ' ', 'x'.repeat(1_000_000), `mk_test_${'a'.repeat(24)}_000000`]) {
      expect(isWellFormed(text)).toBe(false);
    }
  });
});
