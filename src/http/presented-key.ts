/** Where a caller may put the API key. */

/** As much of a request as tells who calls. Node's and Express's requests are of this shape. */
export interface Asking {
  readonly headers: {
    readonly authorization?: string | undefined;
    readonly 'x-api-key'?: string | string[] | undefined;
    readonly 'x-forwarded-for'?: string | string[] | undefined;
  };
  readonly url?: string | undefined;
  /** The address that the request comes from, as far as proxies are believed. */
  readonly ip?: string | undefined;
  readonly socket?: { readonly remoteAddress?: string | undefined };
}

/** The key as it came, unchecked: `Authorization: Bearer`, then `X-API-Key`, then `?apiKey=` where that is allowed. */
export function presentedKey(req: Asking, queryParameter: boolean): string | undefined {
  const bearer = bearerToken(req);
  if (bearer !== undefined) return bearer;
  const header = req.headers['x-api-key'];
  if (typeof header === 'string') return header;
  if (!queryParameter || !req.url?.includes('apiKey=')) return undefined;
  const [apiKey, ...others] = new URLSearchParams(req.url.slice(req.url.indexOf('?'))).getAll('apiKey');
  return others.length === 0 ? apiKey : undefined;
}

/** The token of `Authorization: Bearer`, whosever it is. The scheme's case does not matter (RFC 9110 11.1). */
export function bearerToken({ headers: { authorization } }: Asking): string | undefined {
  return authorization !== undefined && /^bearer\s/i.test(authorization)
    ? authorization.slice(7).trim()
    : undefined;
}
