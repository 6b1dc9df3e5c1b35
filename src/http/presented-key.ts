/** Where a caller may put the API key. */

import type { Request } from 'express';

/** The key as it came, unchecked: `Authorization: Bearer`, then `X-API-Key`, then `?apiKey=` where that is allowed. */
export function presentedKey(req: Request, queryParameter: boolean): string | undefined {
  const { authorization } = req.headers;
  // RFC 7235 2.1: the scheme's case does not matter.
  if (authorization !== undefined && /^bearer /i.test(authorization)) return authorization.slice(7).trim();
  const header = req.headers['x-api-key'];
  if (typeof header === 'string') return header;
  if (!queryParameter || !req.url.includes('apiKey=')) return undefined;
  const { apiKey } = req.query;
  return typeof apiKey === 'string' ? apiKey : undefined;
}
