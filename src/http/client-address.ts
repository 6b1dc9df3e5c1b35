/** What tells callers apart who have shown nothing else: the address, or the network that stands for one. */

import { isIPv6 } from 'node:net';
import type { Request } from 'express';

/** A whole network of this many groups belongs to one customer of an Internet provider (RFC 6177), so it counts as one. */
const groupsOfNetwork = 4;

/** The name to count by. `trust proxy` decides whether `X-Forwarded-For` is believed. */
export function clientAddress(req: Request): string {
  const address = req.ip ?? '';
  if (!isIPv6(address)) return address;
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped) return mapped;
  const [head = '', tail = ''] = address.split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  return `${[...first, ...zeros, ...last].slice(0, groupsOfNetwork).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.toLowerCase().split(':');
}
