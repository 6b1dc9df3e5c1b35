/** What is sold: calls on the routes that have a price, wherever they are answered. */

import type { Request, Response } from 'express';
import { countCall } from './count-call.js';
import type { RouteTable } from './gateway/route-table.js';
import { suspicion } from './gateway/suspicious.js';
import type { Metrics } from './metrics.js';
import { sendProblem } from './problem.js';
import { giveRequestId } from './request-id.js';
import { type PaidDeps, paid } from './routes/paid.js';

/** What selling needs. */
export interface SaleDeps extends PaidDeps {
  routes: RouteTable;
  metrics: Metrics;
}

/** Answers a call that is sold, and counts it; `undefined` for one that is not, which is left untouched. */
export type Sale = (req: Request, res: Response) => Promise<void> | undefined;

/** Makes the sale. */
export function createSale(deps: SaleDeps): Sale {
  const sell = paid(deps);
  return (req, res) => {
    const route = deps.routes.find(req.method, req.url);
    if (!route) return undefined;
    giveRequestId(deps.host.ids, req, res);
    const why = deps.gateway && suspicion(req);
    if (why !== undefined) return countCall(deps.metrics, res, refuse(res, why));
    const free = route.rule.free ? deps.gateway : undefined;
    return countCall(deps.metrics, res, free ? free.forward(req, res, route) : sell(req, res, route));
  };
}

async function refuse(res: Response, why: string): Promise<void> {
  // What follows on the connection may not be what it seems.
  res.shouldKeepAlive = false;
  sendProblem(res, 'invalid_request', why);
}
