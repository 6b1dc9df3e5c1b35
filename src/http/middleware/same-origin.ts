/** Turns away forms that another site sent: a browser says where a form comes from. */

import type { Request, RequestHandler } from 'express';
import type { Site } from '../pages/layout.js';
import { refuse } from '../refuse.js';

/**
 * Lets only our own pages send. What a browser says decides: `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/), and
 * without it `Origin` (RFC 6454 7.3), which every browser sends with a form. A program that sends neither acts for nobody
 * but itself.
 */
export function sameOrigin(deps: { offer: Site; baseUrl(): string }): RequestHandler {
  return function sameOrigin(req, res, next) {
    if (req.method === 'GET' || req.method === 'HEAD' || isOwn(req, deps.baseUrl())) return next();
    refuse(req, res, deps.offer, 'cross_origin', 'Nothing was done. Please use the form on our own page.');
  };
}

function isOwn(req: Request, baseUrl: string): boolean {
  const site = req.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin, host } = req.headers;
  if (origin === undefined) return true;
  const sender = URL.canParse(origin) ? new URL(origin) : undefined;
  // Behind a proxy the public address differs from the one that this server was called by.
  return sender !== undefined && (sender.host === host || sender.origin === new URL(baseUrl).origin);
}
