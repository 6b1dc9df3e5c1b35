/** Where a caller may put the API key. */

import type { Request } from 'express';

/** The key as it came, unchecked: `Authorization: Bearer`, then `X-API-Key`, then `?apiKey=` where that is allowed. */
export function presentedKey(req: Request, queryParameter: boolean): string | undefined {
  const bearer = bearerToken(req);
  if (bearer !== undefined) return bearer;
  const header = req.headers['x-api-key'];
  if (typeof header === 'string') return header;
  if (!queryParameter || !req.url.includes('apiKey=')) return undefined;
  const { apiKey } = req.query;
  return typeof apiKey === 'string' ? apiKey : undefined;
}

/** The token of `Authorization: Bearer`, whosever it is. The scheme's case does not matter (RFC 9110 11.1). */
export function bearerToken({ headers: { authorization } }: Request): string | undefined {
  return authorization !== undefined && /^bearer\s/i.test(authorization)
    ? authorization.slice(7).trim()
    : undefined;
}
