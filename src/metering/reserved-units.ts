/** How many units a call holds of its limits before its cost is known. */

import type { RouteRule } from '../domain/route.js';

/** What is sure to be owed at the head of the request; else what the route says. More is held as the answer tells it. */
export function reservedUnits(rule: RouteRule, contentLength: string | undefined): number {
  const { cost } = rule;
  if (cost.by === 'fixed') return cost.units;
  if (cost.by !== 'request-bytes' || contentLength === undefined) return rule.reserveUnits;
  return Math.min(rule.unitsMax, Math.ceil(Number(contentLength) / cost.per));
}
