/** The head of a request as the upstream gets it: whole, less what is ours alone, with who is calling. */

import type { IncomingMessage } from 'node:http';
import { fieldsNamedIn, isHopByHop } from './hop-by-hop.js';

/** What the gateway says to the upstream, and nobody outside can. */
export interface Introduction {
  requestId: string;
  /** How the client reached us: `http` or `https`. */
  scheme: string;
  /** Where the call comes from. */
  address: string;
  /** Not on free routes. */
  customerId?: string | undefined;
  keyId?: string | undefined;
  /** Whether a bearer token is a key of ours; others are for the upstream. */
  ownBearer: boolean;
  /** The key of ours that the call came with. */
  secret: string | undefined;
  /** Whether the answer must come as it is, because its units are read from its body. */
  plain: boolean;
}

/** Fields that stop here. Whatever starts with `x-forwarded-` or `meterctl-` does too. */
const kept: ReadonlySet<string> = new Set([
  'host',
  'expect',
  'trailer',
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'x-api-key',
  // Some frameworks take their path from these, so one path could be paid and another one served.
  'x-original-url',
  'x-rewrite-url',
]);

/** Fields by which some frameworks are told another method than that of the request line. */
export const methodFields = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/** Names and values in turn, as undici takes them. */
export function requestHeaders(req: IncomingMessage, introduction: Introduction): string[] {
  const headers: string[] = [];
  const { rawHeaders } = req;
  const named = fieldsNamedIn(req.headers.connection);
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const lower = name.toLowerCase();
    if (!isForUpstream(lower, value, named, introduction)) continue;
    headers.push(name, withoutKey(lower, value, introduction.secret));
  }
  // The client takes trailers, and those of answers pass through here. Those of requests do not (RFC 9110 6.5.1): undici has no
  // way to send them.
  if (/\btrailers\b/i.test(String(req.headers.te ?? ''))) headers.push('TE', 'trailers');
  introduce(headers, req, introduction);
  return headers;
}

function isForUpstream(
  name: string,
  value: string,
  named: ReadonlySet<string>,
  { plain, ownBearer }: Introduction,
): boolean {
  if (isHopByHop(name) || named.has(name)) return false;
  // CGI and WSGI take `_` for `-`, so `X_Forwarded_For` would reach the program under our field's name.
  const said = name.includes('_') ? name.replaceAll('_', '-') : name;
  if (said !== name && methodFields.includes(said)) return false;
  if (kept.has(said) || said.startsWith('x-forwarded-') || said.startsWith('meterctl-')) return false;
  if (plain && said === 'accept-encoding') return false;
  return said !== 'authorization' || !ownBearer || !/^bearer\s/i.test(value);
}

/** A key from elsewhere may be so short that other fields hold the same by chance, such as a length. */
const tellingLengthMin = 16;

/** A page whose address holds the key tells that address in `Referer` (RFC 9110 10.1.3); a key may stand in a cookie, too. */
function withoutKey(name: string, value: string, secret: string | undefined): string {
  const rest = name === 'referer' ? requestTarget(value) : value;
  const mayHold = secret !== undefined && secret.length >= tellingLengthMin && rest.includes(secret);
  return mayHold ? rest.replaceAll(secret, '') : rest;
}

function introduce(headers: string[], req: IncomingMessage, introduction: Introduction): void {
  const { address: full } = introduction;
  const address = full.startsWith('::ffff:') && full.includes('.') ? full.slice(7) : full;
  const host = req.headers.host ?? '';
  const node = address.includes(':') ? `"[${address}]"` : address || 'unknown';
  headers.push(
    'X-Forwarded-For',
    address,
    'X-Forwarded-Proto',
    introduction.scheme,
    'X-Forwarded-Host',
    host,
    // RFC 7239 4.
    'Forwarded',
    `for=${node};host="${quotable(host)}";proto=${introduction.scheme}`,
    'X-Request-Id',
    introduction.requestId,
  );
  if (introduction.customerId !== undefined) headers.push('Meterctl-Customer', introduction.customerId);
  if (introduction.keyId !== undefined) headers.push('Meterctl-Key-Id', introduction.keyId);
  if (introduction.plain) headers.push('Accept-Encoding', 'identity');
}

/** What stands in a quoted string (RFC 9110 5.6.4). */
function quotable(text: string): string {
  return text.includes('"') || text.includes('\\') ? text.replace(/["\\]/g, '\\$&') : text;
}

/** The target, or another address, as it came, less `apiKey`, which is ours under any spelling. */
export function requestTarget(url: string): string {
  const start = url.indexOf('?');
  if (start === -1 || !/apiKey|%/.test(url)) return url;
  const parts = url.slice(start + 1).split('&');
  const others = parts.filter((part) => !new URLSearchParams(part).has('apiKey'));
  if (others.length === parts.length) return url;
  return others.length === 0 ? url.slice(0, start) : `${url.slice(0, start)}?${others.join('&')}`;
}

/** Requests that Node gave away with their connection. */
const handedOver = new WeakSet<IncomingMessage>();

/** Notes that Node found a request to ask for another protocol, and no longer reads its connection. */
export function noteHandOver(req: IncomingMessage): void {
  handedOver.add(req);
}

/**
 * Whether the request asks for another protocol (RFC 9110 7.8), as Node's parser reads `Connection`. Were it read here once
 * more, and otherwise, Node would take what follows on the connection for more requests.
 */
export function namesUpgrade(req: IncomingMessage): boolean {
  return handedOver.has(req);
}

/** Whether a body follows the head (RFC 9112 6.3). */
export function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return req.headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) > 0);
}
