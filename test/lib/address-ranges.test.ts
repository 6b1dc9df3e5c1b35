import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAddressCheck, parseAddressRange } from '../../src/lib/address-ranges.js';

describe('an address range', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['::ffff:192.0.2.7', '192.0.2.7/32'],
  ])('%s is read as %s', (text, range) => {
    expect(parseAddressRange(text)).toBe(range);
  });

  it.each([
    '',
    '192.0.2.0/33',
    '192.0.2/24',
    '192.0.2.0/',
    '192.0.2.0/-1',
    '999.0.0.1',
    '2001:db8::/129',
    '::ffff:192.0.2.0/24',
    'localhost',
    'fe80::1%eth0',
  ])('%s is none', (text) => {
    expect(parseAddressRange(text)).toBeUndefined();
  });
});

describe('the check of an address', () => {
  it('is nothing when everything is allowed', () => {
    expect(createAddressCheck([])).toBeNull();
  });

  it.each([
    ['192.0.2.255', true],
    ['192.0.3.0', false],
    ['::ffff:192.0.2.1', true],
    ['::ffff:c000:201', true],
    ['::FFFF:192.0.3.1', false],
    ['2001:db8:1::5', true],
    ['2001:db9::', false],
    ['fe80::1%eth0', true],
    ['', false],
    ['nonsense', false],
  ])('of %s says %s', (address, allowed) => {
    const check = createAddressCheck(['192.0.2.0/24', '2001:db8::/32', 'fe80::/10']);
    expect(check?.(address)).toBe(allowed);
  });

  it('agrees with arithmetic on every IPv4 range', () => {
    const bytes = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
    const numberOf = (parts: number[]) => parts.reduce((value, part) => value * 256 + part, 0);
    fc.assert(
      fc.property(bytes, bytes, fc.nat(32), (network, address, prefix) => {
        const size = 2 ** (32 - prefix);
        const inside = Math.floor(numberOf(network) / size) === Math.floor(numberOf(address) / size);
        const range = parseAddressRange(`${network.join('.')}/${prefix}`);
        expect(createAddressCheck([range!])?.(address.join('.'))).toBe(inside);
      }),
    );
  });
});
