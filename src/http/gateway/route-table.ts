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
   * what is not sold: our own pages, paths that no rule names, and those that could be read as two.
   */
  find(method: string, url: string): Route | undefined;
  /** Whether programs could read the path as that of another rule, or of none. */
  isAmbiguous(method: string, url: string): boolean;
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

/** Whether meterctl answers itself all that a rule of this path could be for. */
export function isOwn(path: string): boolean {
  return own.test(path);
}

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
  function entryFor(method: string, path: string): Entry | undefined {
    if (isOwn(path)) return undefined;
    return entries.find(
      ({ pattern, methods }) => (methods === null || takes(methods, method)) && pattern.test(path),
    );
  }

  return {
    find(method, url) {
      const [entry, ...others] = readings(url).map((path) => entryFor(method, path));
      return entry && others.every((other) => other === entry) ? routeOf(entry, method) : undefined;
    },
    isAmbiguous: (method, url) => new Set(readings(url).map((path) => entryFor(method, path))).size > 1,
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
 * The path as programs read it, decoded and without doubled slashes. A price must not depend on how a path is spelled, and
 * they do not all read alike: to some a `%2F` or a backslash parts segments, and a `;` begins what is no part of the name.
 */
function readings(url: string): string[] {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  if (!/%|\/\/|;/.test(path)) return [path];
  const plain = path.replace(/\/{2,}/g, '/');
  const whole = decoded(plain);
  const apart = whole.replaceAll('\\', '/').replace(/;[^/]*/g, '');
  const together = decoded(plain.replace(/%(?=2f|5c)/gi, '%25'));
  return [...new Set([together, apart.replace(/\/{2,}/g, '/')])];
}

/** What cannot be decoded stays as it is, and keeps nothing else from being decoded. */
function decoded(path: string): string {
  return path.replace(/(%[0-9a-f]{2})+/gi, (octets) => {
    try {
      return decodeURIComponent(octets);
    } catch {
      return octets.replace(/%[0-7][0-9a-f]/gi, decodeURIComponent);
    }
  });
}
