/**
 * Requests that two programs may read differently. Node's parser refuses most of them (Content-Length beside
 * Transfer-Encoding, twice, or not a number; blanks and control characters in fields); this is what it lets through.
 */

import type { IncomingMessage } from 'node:http';
import { hasBody, namesUpgrade } from './request-head.js';

/** A `.` or `..` segment, also in the spellings that some program behind us may decode. */
const dotSegment = /(^|[/\\]|%2f|%5c)(\.|%2e){1,2}($|[/\\;]|%2f|%5c)/i;

/** Why the request is refused; `undefined` when it has one meaning. */
export function suspicion(req: IncomingMessage): string | undefined {
  const codings = req.headers['transfer-encoding'];
  if (codings !== undefined) {
    if (codings.trim().toLowerCase() !== 'chunked')
      return 'Only the transfer coding "chunked" is known here.';
    if (req.httpVersion === '1.0') return 'HTTP/1.0 has no transfer codings.';
    if (req.headers['content-length'] !== undefined) return 'A body has one length.';
  }
  // Node hands the connection over behind the head, so such a body would be read by nobody.
  if (namesUpgrade(req) && hasBody(req)) {
    return 'A request for another protocol has no body.';
  }
  if (repeats(req.rawHeaders, 'host')) return 'There is more than one Host.';
  // Only the first is looked at here, and the other may be a key of ours.
  if (req.headers.authorization !== undefined && repeats(req.rawHeaders, 'authorization')) {
    return 'There is more than one Authorization.';
  }
  return suspicionOfTarget(req.url ?? '');
}

function suspicionOfTarget(url: string): string | undefined {
  if (!url.startsWith('/')) return 'The request target must be a path.';
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  if ((path.includes('.') || path.includes('%')) && dotSegment.test(path)) {
    return 'The path must not have "." or ".." segments.';
  }
  return path.includes('\\') || path.includes('#') || /%00/.test(path)
    ? 'The path holds a character that no path has.'
    : undefined;
}

function repeats(rawHeaders: readonly string[], wanted: string): boolean {
  let seen = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === wanted.length && name.toLowerCase() === wanted) seen += 1;
  }
  return seen > 1;
}
