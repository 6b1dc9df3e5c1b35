/** Gives every request an id: the caller's own when it is harmless, a new one otherwise. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Ids } from '../lib/host.js';

const harmless = /^[\w.:-]{1,128}$/;

declare module 'node:http' {
  interface ServerResponse {
    /** What its request is known by; see `giveRequestId`. */
    requestId?: string;
  }
}

/** The id of a request that names this one, or none. */
export function idOfRequest(ids: Ids, given: string | string[] | null | undefined): string {
  return typeof given === 'string' && harmless.test(given) ? given : ids.next('req');
}

/**
 * Remembers the id with the answer, but does not set its header: Node writes a head several times as fast when no header was
 * set before. Whoever writes the head adds `X-Request-Id`.
 */
export function giveRequestId(ids: Ids, req: IncomingMessage, res: ServerResponse): string {
  const given = req.headers['x-request-id'];
  const requestId = idOfRequest(ids, given);
  res.requestId = requestId;
  return requestId;
}

/** The id of the answer's request. */
export function requestIdOf(res: ServerResponse): string {
  return res.requestId ?? '';
}

/** Puts `X-Request-Id` on the answer, whoever writes its head. */
export function requestId(ids: Ids): RequestHandler {
  return function requestId(req, res, next) {
    res.setHeader('X-Request-Id', giveRequestId(ids, req, res));
    next();
  };
}
