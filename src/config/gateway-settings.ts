/** The gateway and its routes, as meterctl.json says them, in the domain's terms. */

import { apiRoute, type Cost, type RouteRule, type StatusRange } from '../domain/route.js';
import { durationMs, parseDuration } from '../lib/duration.js';
import type { ConfigFile } from './schema.js';

/** How calls are passed on. */
export interface GatewaySettings {
  /** More servers of the same API. */
  replicas: readonly string[];
  headTimeoutMs: number;
  idleTimeoutMs: number;
  /** Infinite unless it is said. */
  requestBytesMax: number;
  healthPath: string | null;
  /** In the order in which they are tried. */
  routes: readonly RouteRule[];
}

type RouteInFile = NonNullable<ConfigFile['routes']>[number];

/** A route without where it is. */
type PriceInFile = Omit<RouteInFile, 'path' | 'methods'>;

/** The settings, with what is usual where nothing is said. */
export function gatewaySettings(file: ConfigFile | undefined): GatewaySettings {
  const said = file?.gateway ?? {};
  return {
    replicas: said.replicas ?? [],
    headTimeoutMs: msOf(said.headTimeout ?? '30s'),
    idleTimeoutMs: msOf(said.idleTimeout ?? '5m'),
    requestBytesMax: said.requestBytesMax ?? Number.POSITIVE_INFINITY,
    healthPath: said.healthPath ?? null,
    routes: (file?.routes ?? []).map(ruleOf),
  };
}

function ruleOf(route: RouteInFile): RouteRule {
  return { path: route.path, methods: route.methods ?? null, ...priceOf(route) };
}

/** What a call costs, and when. What is not said is as for `/api`. */
export function priceOf(route: PriceInFile): Omit<RouteRule, 'path' | 'methods'> {
  return {
    free: route.free ?? false,
    cost: costOf(route.units),
    scope: route.scope ?? null,
    counts: route.counts?.map(rangeOf) ?? apiRoute.counts,
    onAbort: route.onAbort ?? apiRoute.onAbort,
    unitsMax: route.maxUnits ?? apiRoute.unitsMax,
    reserveUnits: route.reserveUnits ?? route.fallbackUnits ?? apiRoute.reserveUnits,
    fallbackUnits: route.fallbackUnits ?? apiRoute.fallbackUnits,
  };
}

function costOf(units: RouteInFile['units']): Cost {
  if (units === undefined) return apiRoute.cost;
  return typeof units === 'number' ? { by: 'fixed', units } : units;
}

/** `2xx`, or one status. */
function rangeOf(text: string): StatusRange {
  return { from: Number(text.replace('xx', '00')), to: Number(text.replace('xx', '99')) };
}

/** The schema lets only durations of a fixed length through. */
function msOf(text: string): number {
  const parsed = parseDuration(text);
  return (parsed && durationMs(parsed)) ?? 0;
}
