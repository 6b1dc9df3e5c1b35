/** Ranges of IP addresses in CIDR notation, and what lies in them. */

import { BlockList, isIP } from 'node:net';

/** Tells whether an address lies in the ranges. */
export type AddressCheck = (address: string) => boolean;

/** `::ffff:192.0.2.1` is how a socket for both families tells of an IPv4 address. */
const mapped = /^::ffff:(?=\d+\.)/i;

/**
 * Reads `192.0.2.0/24`, `2001:db8::/32` or a single address, and writes it in one form; `undefined` for anything else.
 * A range of IPv4-mapped addresses becomes one of IPv4.
 */
export function parseAddressRange(text: string): string | undefined {
  const match = /^([0-9A-Fa-f.:]{2,45})(?:\/(\d{1,3}))?$/.exec(text);
  const whole = match?.[1];
  if (whole === undefined) return undefined;
  const address = whole.replace(mapped, '');
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  const shift = address === whole ? 0 : 96;
  const prefix = match?.[2] === undefined ? bits : Number(match[2]) - shift;
  if (family === 0 || prefix < 0 || prefix > bits) return undefined;
  return `${address.toLowerCase()}/${prefix}`;
}

/** A check against ranges that `parseAddressRange` wrote; `null` when there are none. */
export function createAddressCheck(ranges: readonly string[]): AddressCheck | null {
  if (ranges.length === 0) return null;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    list.addSubnet(address, Number(prefix), familyOf(address));
  }
  // Calls come from the same address again and again, and looking one up costs more than all else of authentication.
  let last = { address: '', allowed: false };
  return (address) => {
    if (address !== last.address) {
      // A link-local address tells the interface behind a percent sign.
      const plain = address.replace(mapped, '').replace(/%.*$/, '');
      last = { address, allowed: isIP(plain) !== 0 && list.check(plain, familyOf(plain)) };
    }
    return last.allowed;
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
