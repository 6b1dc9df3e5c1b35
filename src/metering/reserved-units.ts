/** How many units a call holds of its limits before its cost is known. */

import type { RouteRule } from '../domain/route.js';

/** What is sure to be owed at the head of the request; else what is owed where an answer does not tell. */
export function reservedUnits(rule: RouteRule, contentLength: string | undefined): number {
  const { cost } = rule;
  if (cost.by === 'fixed') return cost.units;
  if (cost.by !== 'request-bytes' || contentLength === undefined) return rule.fallbackUnits;
  return Math.min(rule.unitsMax, Math.ceil(Number(contentLength) / cost.per));
}
