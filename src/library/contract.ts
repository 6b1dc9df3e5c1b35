/** What a program sees of meterctl when it imports it. */

import type { IncomingMessage, ServerResponse } from 'node:http';

/** One call that was let in, as its handler sees it. */
export interface Meter {
  /**
   * Says what the call costs: a whole number from 0 to the price's `maxUnits`. The last word counts.
   *
   * Before the answer has begun it resolves at once: the answer's head waits until the units are on disk. While an answer is
   * being streamed it resolves when they are. Resolves without effect for what is not billed: free calls, answers that do
   * not count, and calls whose client has hung up unless `onAbort` is `upstream`.
   *
   * Rejects with the code `invalid` for any other number; then the price's `fallbackUnits` are owed, unless a later word is
   * a good one. Rejects with `conflict` when the answer was complete before, and when the customer's limits leave less while it is being
   * streamed: what they leave is billed, and the answer is cut off. Before it has begun, limits are looked at with its head:
   * where they leave less, the client gets that refusal instead.
   */
  units(units: number): Promise<void>;
  /** Stripe's id of who calls, `cus_…`; `undefined` on free routes. */
  readonly customerId: string | undefined;
  /** `key_…`; `undefined` on free routes. */
  readonly keyId: string | undefined;
  /** As in `X-Request-Id`. */
  readonly requestId: string;
}

/** Where the units of a call come from when its handler does not say them. */
export type Units =
  | number
  /** The answer's header `Meterctl-Units`; this is how it is unless something else is said. */
  | { by: 'header' }
  /**
   * Each so many bytes are a unit. Of a request that is what its `Content-Length` says. Without one, `express()` counts what
   * comes before the answer is complete, unless something before it has read the body: a body parser belongs behind it. Then,
   * and in `fetch()`, `fallbackUnits` are owed.
   */
  | { by: 'request-bytes' | 'response-bytes'; per: number }
  /** The number at this place (RFC 6901) in the JSON answer, or in the last server-sent event that has it. */
  | { by: 'json' | 'last-event'; pointer: string }
  /** A unit for each server-sent event. */
  | { by: 'events' };

/** What a call costs: as a route in meterctl.json, without path and methods. */
export interface Price {
  units?: Units | undefined;
  /** What a key must be allowed to do. */
  scope?: string | undefined;
  /** Needs no key and costs nothing. */
  free?: boolean | undefined;
  /** Statuses such as `404`, or classes such as `2xx`, that are billed; otherwise all below 400. */
  counts?: string[] | undefined;
  /** What is owed when the client hangs up: what it got until then (this is usual), all of it, or nothing. */
  onAbort?: 'delivered' | 'upstream' | 'none' | undefined;
  /** No call costs more; a million unless it is said. */
  maxUnits?: number | undefined;
  /** Owed when nothing, or nonsense, tells the units; one unless it is said. */
  fallbackUnits?: number | undefined;
  /** The name that reports show, such as `POST /v1/chat`. */
  route?: string | undefined;
}

/** A price of a fetch-style handler. */
export interface FetchPrice<R extends Request, Rest extends unknown[]> extends Price {
  /** Where the call comes from, for keys that are bound to addresses; a `Request` does not tell. */
  address?: ((request: R, ...rest: Rest) => string | undefined) | undefined;
}

/** Middleware as Connect defined it; Express takes it, and so does a plain `node:http` listener. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** A handler whose calls are sold. */
export type FetchHandler<R extends Request, Rest extends unknown[]> = (
  request: R,
  meter: Meter,
  ...rest: Rest
) => Response | Promise<Response>;

/** meterctl in this process. */
export interface Meterctl {
  /**
   * Middleware that sells what follows it: `req.meter` is the call. Without a price meterctl.json's routes decide, and what
   * they do not name costs a unit. Throws `invalid` for a price that is none.
   */
  express(price?: Price): Middleware;
  /** Wraps a handler of `Request` to `Response`, whose calls are then sold. The price is as for `express`. */
  fetch<R extends Request, Rest extends unknown[]>(
    handler: FetchHandler<R, Rest>,
  ): (request: R, ...rest: Rest) => Promise<Response>;
  fetch<R extends Request, Rest extends unknown[]>(
    price: FetchPrice<R, Rest>,
    handler: FetchHandler<R, Rest>,
  ): (request: R, ...rest: Rest) => Promise<Response>;
  /**
   * Middleware with Checkout, the buyer's key, the customers' portal and Stripe's webhooks, all at the root: `/checkout`,
   * `/success`, `/error`, `/portal`, `/usage/:customer`, `/webhook`, and the few `/assets` of these pages. It must come
   * before anything that reads bodies. Throws `invalid` while nobody has said the `url` of this app.
   */
  pages(): Middleware;
  /**
   * Takes no more calls, waits up to ten seconds for those that run, sends the usage that can be sent, and closes the
   * database. Tolerates being called twice.
   */
  close(): Promise<void>;
}

/** How meterctl is opened. Whatever is not said is as `meterctl serve` has it. */
export interface MeterctlOptions {
  /** The folder of meterctl.json and .env; the working directory unless it is said. */
  folder?: string | undefined;
  /** The path of meterctl.json, as `--config`. */
  config?: string | undefined;
  /** The path of the database, as `--database`. */
  database?: string | undefined;
  /** How buyers reach this app, such as `https://api.example.com`; otherwise `server.publicUrl` of meterctl.json. */
  url?: string | undefined;
  /** Environment variables in place of the process's own. */
  env?: Record<string, string | undefined> | undefined;
  /** Where to log, `console` for instance; otherwise warnings go to stderr. */
  log?: Log | undefined;
}

/** A log. `fields` hold no secrets. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

declare module 'node:http' {
  interface IncomingMessage {
    /** The call that is sold, behind `express()` of meterctl; nothing is here without it. */
    meter: Meter;
  }
}
