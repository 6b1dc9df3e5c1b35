/** What a route is: its path, the parameters it takes, and the work it does. */

import type { z } from 'zod';
import type { Account } from './account.js';
import { parseParameters } from './parameters.js';

/** The named parts of a path: `PathParts<'/v1/prices/:id'>` is `{id: string}`. */
type PathParts<Path extends string> = Path extends `${string}:${infer Rest}`
  ? Rest extends `${infer Name}/${infer After}`
    ? Record<Name, string> & PathParts<After>
    : Record<Rest, string>
  : unknown;

/** A request as it came in, before its parameters are checked. */
export interface RawRequest {
  /** `req_…`, echoed in the `Request-Id` header. */
  id: string;
  idempotencyKey: string | undefined;
  /** The path without the query. */
  url: string;
  /** The query as it came, without `?`. */
  query: string;
  path: Record<string, string>;
  /** Parsed query (GET, DELETE of v2) or body. Values of v1 are texts, hashes and arrays of them. */
  parameters: unknown;
}

/** A request whose parameters have been checked. */
interface ApiRequest<Path extends string, Parameters> {
  id: string;
  idempotencyKey: string | undefined;
  url: string;
  query: string;
  path: PathParts<Path>;
  parameters: Parameters;
}

/** The definition of a route. */
export interface RouteDefinition<Path extends string, Schema extends z.ZodObject> {
  method: 'get' | 'post' | 'delete';
  /** `/v1/prices/:id`. */
  path: Path;
  /** A `z.strictObject` made of the pieces in parameters.ts. `expand` is understood on every v1 route. */
  parameters: Schema;
  /**
   * The work. Runs in one IMMEDIATE transaction, unless the method is `get`; a throw undoes it. Synchronous, so that
   * nothing comes between. Returns the object to answer with, in wire form.
   */
  handle(account: Account, request: ApiRequest<Path, z.output<Schema>>): object;
  /** How the caller shows who he is: an API key, unless this says that it is a meter event session's token. */
  auth?: 'meter_event_session';
  /** What only one call at a time may touch, when the fault `oneCallPerCustomerAndMeter` is on. */
  exclusive?(parameters: z.output<Schema>): string;
}

/** A checked request, ready to run. */
export interface Prepared {
  /** Paths to expand in the answer. */
  expand: string[];
  exclusive: string | undefined;
  run(account: Account): object;
}

/** A route that has forgotten the types of its parameters. */
export interface Route {
  method: 'get' | 'post' | 'delete';
  path: string;
  auth: 'key' | 'meter_event_session';
  /** Checks the parameters. Throws Stripe's error for the first that is wrong. */
  prepare(request: RawRequest): Prepared;
}

/** Makes a route of its definition. */
export function route<Path extends string, Schema extends z.ZodObject>(
  definition: RouteDefinition<Path, Schema>,
): Route {
  const { method, path, parameters: schema } = definition;
  return {
    method,
    path,
    auth: definition.auth ?? 'key',
    prepare({ parameters: raw, ...request }) {
      const { expand, parameters } = parseParameters(schema, raw, path.startsWith('/v2/'));
      // Express has filled in every part the path names.
      const parts = request.path as PathParts<Path>;
      return {
        expand,
        exclusive: definition.exclusive?.(parameters),
        run: (account) => definition.handle(account, { ...request, path: parts, parameters }),
      };
    },
  };
}
