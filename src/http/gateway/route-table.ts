/** Which rule a call falls under; the home of path-to-regexp, whose patterns are Express's. */

import { pathToRegexp } from 'path-to-regexp';
import { apiRoute, type RouteRule } from '../../domain/route.js';

/** A rule with the name that reports show. */
export interface Route {
  rule: RouteRule;
  /** `POST /v1/models/:id`: the pattern, so that ids in paths do not make a route each. */
  name: string;
}

/** Finds rules. */
export interface RouteTable {
  /**
   * The first rule, in the order of meterctl.json, whose pattern and methods fit; then `/api` and below. `undefined` for
   * what is not sold: our own pages, and paths that no rule names.
   */
  find(method: string, url: string): Route | undefined;
}

interface Entry {
  rule: RouteRule;
  pattern: RegExp;
  methods: ReadonlySet<string> | null;
  /** By method, so that a name is made once. */
  names: Map<string, Route>;
}

/** What meterctl itself answers; no rule takes it away. */
const own = /^\/?$|^\/(assets|checkout|error|healthz|metrics|portal|readyz|success|usage|webhook)(\/|$)/i;

/** Methods that anybody may make up are reported as one. */
const methodsMax = 16;

/** Makes the table. */
export function createRouteTable(rules: readonly RouteRule[]): RouteTable {
  const entries: Entry[] = [...rules, apiRoute].map((rule) => ({
    rule,
    pattern: pathToRegexp(rule.path).regexp,
    methods: rule.methods && new Set(rule.methods),
    names: new Map(),
  }));
  return {
    find(method, url) {
      const path = comparablePath(url);
      if (own.test(path)) return undefined;
      const entry = entries.find(
        ({ pattern, methods }) => (methods === null || takes(methods, method)) && pattern.test(path),
      );
      return entry && routeOf(entry, method);
    },
  };
}

/** HEAD is GET without the body (RFC 9110 9.3.2), also in its price. */
function takes(methods: ReadonlySet<string>, method: string): boolean {
  return methods.has(method) || (method === 'HEAD' && methods.has('GET'));
}

function routeOf({ rule, names }: Entry, method: string): Route {
  const known = names.get(method);
  if (known) return known;
  const shown = names.size < methodsMax ? method : 'OTHER';
  const path = rule === apiRoute ? '/api' : rule.path;
  const route = { rule, name: `${shown} ${path}` };
  if (names.size < methodsMax) names.set(method, route);
  return route;
}

/**
 * The path as most servers understand it: decoded, and without doubled slashes. A price must not depend on how a path is
 * spelled. What cannot be decoded is compared as it is.
 */
function comparablePath(url: string): string {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  if (!path.includes('%') && !path.includes('//')) return path;
  return decoded(path).replace(/\/{2,}/g, '/');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
