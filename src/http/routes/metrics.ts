/** `GET /metrics`: Prometheus text, for this machine or for whoever holds the admin token. */

import type { Request, RequestHandler } from 'express';
import { isAdminToken } from '../admin-token.js';
import type { Metrics, MetricsSources } from '../metrics.js';
import { presentedKey } from '../presented-key.js';
import { sendProblem } from '../problem.js';

/** What the route needs. */
export interface MetricsDeps extends MetricsSources {
  metrics: Metrics;
  adminToken: string | null;
}

/** Answers with every metric. */
export function metrics(deps: MetricsDeps): RequestHandler {
  return async function metrics(req, res) {
    if (!isLocal(req) && !isAdminToken(presentedKey(req, false), deps.adminToken))
      return sendProblem(res, 'forbidden', 'Metrics are told on this machine, or for the admin token.');
    const text = await deps.metrics.text(deps);
    res.set('Cache-Control', 'no-store').type(deps.metrics.contentType).send(text);
  };
}

/** Behind a proxy on this machine every connection is local, so a forwarded request never counts as that. */
function isLocal({ socket, headers }: Request): boolean {
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined) return false;
  const address = socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  return address === '::1' || /^127\./.test(address);
}
