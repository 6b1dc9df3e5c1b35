/** Sells what follows in a chain of Connect middleware. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { MeterctlError } from '../domain/error.js';
import { sendRefusal } from '../http/problem.js';
import { giveRequestId } from '../http/request-id.js';
import type { Host } from '../lib/host.js';
import { Call } from './call.js';
import type { Middleware } from './contract.js';
import { type AnswerDeps, HeldAnswer } from './held-answer.js';
import type { Pricing } from './pricing.js';
import { countBody, sizeByHead } from './request-body.js';
import type { Sales } from './sales.js';

/** What the middleware needs. */
export interface ExpressDeps extends AnswerDeps {
  sales: Sales;
  host: Pick<Host, 'ids' | 'log'>;
}

/** What Express adds to a request; Connect has `originalUrl` alone, and `node:http` nothing of it. */
interface Routed extends IncomingMessage {
  originalUrl?: string;
  baseUrl?: string;
  route?: { path?: unknown };
  /** As far as the app's `trust proxy` believes. */
  ip?: string | undefined;
}

/** Makes the middleware. */
export function express(deps: ExpressDeps, pricing: Pricing): Middleware {
  return function meterctl(req, res, next) {
    sell(deps, pricing, req, res).then((letIn) => letIn && next(), next);
  };
}

/** Resolves with whether what follows is to answer. */
async function sell(deps: ExpressDeps, pricing: Pricing, req: Routed, res: ServerResponse): Promise<boolean> {
  if (req.meter) {
    throw new MeterctlError('conflict', 'This request is sold already.', {
      hint: 'Put express() before it once: two prices would bill it twice.',
    });
  }
  const requestId = giveRequestId(deps.host.ids, req, res);
  const { method = '', headers } = req;
  const url = req.originalUrl ?? req.url ?? '';
  const call = await deps.sales.begin({
    route: pricing({ method, url, pattern: patternOf(req) }),
    ...{ headers, url, requestId },
    get ip() {
      return req.ip ?? req.socket.remoteAddress;
    },
    contentLength: headers['content-length'],
    body: headers['transfer-encoding'] === undefined ? sizeByHead(headers['content-length']) : countBody(req),
  });
  if (!(call instanceof Call)) {
    sendRefusal(res, call);
    return false;
  }
  // It hung up while it was being let in, and nobody would be told of it any more.
  if (res.destroyed || req.socket.destroyed) {
    call.end('client-gone');
    return false;
  }
  res.setHeader('X-Request-Id', requestId);
  req.meter = call.meter;
  new HeldAnswer(deps, call, res).hold();
  return true;
}

/** The pattern of Express's route, below where its router is mounted. */
function patternOf({ baseUrl, route }: Routed): string | undefined {
  if (baseUrl === undefined) return undefined;
  const path = typeof route?.path === 'string' ? route.path : '';
  return `${baseUrl}${path}` || '/';
}
