/** Gives every request an id: the caller's own when it is harmless, a new one otherwise. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Ids } from '../lib/host.js';

const harmless = /^[\w.:-]{1,128}$/;

/** Puts `X-Request-Id` on the answer. */
export function giveRequestId(ids: Ids, req: IncomingMessage, res: ServerResponse): void {
  const given = req.headers['x-request-id'];
  res.setHeader('X-Request-Id', typeof given === 'string' && harmless.test(given) ? given : ids.next('req'));
}

/** The same as middleware. */
export function requestId(ids: Ids): RequestHandler {
  return function requestId(req, res, next) {
    giveRequestId(ids, req, res);
    next();
  };
}
