/** The routes that are sold: what a call costs there, when it counts, and who pays for a call that breaks off. */

/**
 * Where the units of a call come from. Bytes are counted as they pass; `per` bytes, or a part of them, are one unit. A
 * pointer names a number in a JSON document (RFC 6901).
 */
export type Cost =
  | { by: 'fixed'; units: number }
  /** What the upstream says in the header `Meterctl-Units`. */
  | { by: 'header' }
  | { by: 'request-bytes'; per: number }
  | { by: 'response-bytes'; per: number }
  | { by: 'json'; pointer: string }
  /** Server-sent events: a unit each. */
  | { by: 'events' }
  /** The last server-sent event whose data has the field. */
  | { by: 'last-event'; pointer: string }
  /** WebSocket messages: a unit each. */
  | { by: 'messages'; from: 'client' | 'upstream' | 'both' };

/**
 * What is owed for a call whose client hangs up. `delivered`: what came to the client until then. `upstream`: the upstream
 * goes on to its end, and all of it is owed. `none`: nothing.
 */
export type AbortPolicy = 'delivered' | 'upstream' | 'none';

/** Answers with these statuses, both ends included. */
export interface StatusRange {
  from: number;
  to: number;
}

/** One route. */
export interface RouteRule {
  /** A pattern as Express writes it: `/v1/models/:id`, `/files/*path`. */
  path: string;
  /** In capitals; `null` means every method. */
  methods: readonly string[] | null;
  /** Needs no key and costs nothing. */
  free: boolean;
  cost: Cost;
  /** What a key must be allowed to do; `null` means that every key will do. */
  scope: string | null;
  /** Which answers are billed. */
  counts: readonly StatusRange[];
  onAbort: AbortPolicy;
  /** No answer costs more: whatever says so is mistaken. */
  unitsMax: number;
  /** Held of the caller's limits from the beginning, where only the answer tells the cost. */
  reserveUnits: number;
  /** Owed where the cost is to be read from an answer that does not tell it, or tells nonsense. */
  fallbackUnits: number;
}

/** `/api` and below, which are sold whatever else is. */
export const apiRoute: RouteRule = {
  path: '/api{/*rest}',
  methods: null,
  free: false,
  cost: { by: 'header' },
  scope: null,
  counts: [{ from: 100, to: 399 }],
  onAbort: 'delivered',
  unitsMax: 1_000_000,
  reserveUnits: 1,
  fallbackUnits: 1,
};

/** A call to be shown as an example: `path` may be a pattern, which people understand as well. */
export interface ExampleCall {
  method: string;
  path: string;
}

/** The first route that costs something, without what may be left out of its path; `/api` where none is named. */
export function exampleCall(rules: readonly RouteRule[]): ExampleCall {
  const { path, methods } = rules.find(({ free }) => !free) ?? apiRoute;
  const method = methods?.includes('GET') === false ? methods[0] : undefined;
  return { method: method ?? 'GET', path: path.replace(/\{[^}]*\}/g, '') };
}

/** Whether an answer of this status is billed. */
export function isBilled(rule: RouteRule, status: number): boolean {
  return rule.counts.some(({ from, to }) => status >= from && status <= to);
}
