/** What is sold: calls on the routes that have a price, wherever they are answered. */

import type { Request, Response } from 'express';
import type { KeyLookup } from '../keys/key-lookup.js';
import { countCall } from './count-call.js';
import type { Gateway } from './gateway/gateway.js';
import { methodFields } from './gateway/request-head.js';
import type { Route, RouteTable } from './gateway/route-table.js';
import { suspicion } from './gateway/suspicious.js';
import type { Metrics } from './metrics.js';
import { bearerToken } from './presented-key.js';
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
    const why = deps.gateway && (suspicion(req) ?? suspicionOfMethod(deps.routes, req, route));
    if (why !== undefined) return countCall(deps.metrics, res, () => refuse(res, why));
    if (!route.rule.free || !deps.gateway) return countCall(deps.metrics, res, () => sell(req, res, route));
    return give(deps.gateway, deps.keys, { req, res, route });
  };
}

/** A free call. It may bring a key of ours all the same, or credentials for the upstream. */
async function give(gateway: Gateway, keys: KeyLookup, call: { req: Request; res: Response; route: Route }) {
  const { req, res, route } = call;
  const bearer = bearerToken(req);
  const ownBearer = bearer !== undefined && (await keys.find(bearer)) !== null;
  await gateway.forward(req, res, route, { ownBearer });
}

/** A call must not be paid by one rule and carried out by another. */
function suspicionOfMethod(routes: RouteTable, { headers, url }: Request, route: Route): string | undefined {
  for (const field of methodFields) {
    const said = headers[field];
    if (said === undefined) continue;
    // Of several some take the first, and others the last.
    const others = String(said).split(',');
    if (others.some((method) => routes.find(method.trim().toUpperCase(), url)?.rule !== route.rule)) {
      return `By ${field} this would be another call.`;
    }
  }
  return undefined;
}

async function refuse(res: Response, why: string): Promise<void> {
  // What follows on the connection may not be what it seems.
  res.shouldKeepAlive = false;
  sendProblem(res, 'invalid_request', why);
}
