/** Which price a request has, and under which name reports show it. */

import { readPrice } from '../config/library-options.js';
import { apiRoute, type RouteRule } from '../domain/route.js';
import { createRouteTable, type Route } from '../http/gateway/route-table.js';
import type { Price } from './contract.js';

/** A request, as far as its price asks. */
interface Priced {
  method: string;
  /** Path and query as they came. */
  url: string;
  /** The pattern that the app's own router found; `undefined` where there is none. */
  pattern: string | undefined;
}

/** Tells prices; `undefined` where meterctl.json decides, and programs could read the path as that of another price. */
export type Pricing = (request: Priced) => Route | undefined;

/** Patterns may hold what callers make up, such as the path of a mount; beyond so many names they are reported as one. */
const namesMax = 1_000;

/** Makes pricing by what a program says, or else by meterctl.json's routes. Throws `invalid` for a price that is none. */
export function createPricing(price: Price | undefined, routes: readonly RouteRule[]): Pricing {
  const said = readPrice(price);
  const table = createRouteTable(routes);
  const rule = said?.rule ?? apiRoute;
  const known = new Map<string, Route>();
  return ({ method, url, pattern = '*' }) => {
    const named = said ? undefined : table.find(method, url);
    if (named && named.rule !== apiRoute) return named;
    if (!said && table.isAmbiguous(method, url)) return undefined;
    const name = said?.name ?? `${method} ${pattern}`;
    const found = known.get(name);
    if (found) return found;
    if (known.size >= namesMax) return { rule, name: 'OTHER *' };
    const route = { rule, name };
    known.set(name, route);
    return route;
  };
}
