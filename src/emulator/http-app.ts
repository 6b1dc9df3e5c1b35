/** HTTP around the routes: headers, credentials, bodies, faults at the door and in the answer. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request, type Response } from 'express';
import type { Host } from '../lib/host.js';
import type { Account } from './account.js';
import { ApiError } from './api-error.js';
import { checkApiKey, credential } from './authentication.js';
import { answerCall, type CallContext, failure } from './call.js';
import { apiVersion } from './events/event-log.js';
import type { Expansions } from './expand.js';
import { badGatewayPage, meetFaults } from './fault-gate.js';
import type { Answer, IdempotencyKeys } from './idempotency.js';
import { checkStreamToken } from './meters/meter-event-session.js';
import { mountPages } from './page-app.js';
import type { PageRoute } from './page-route.js';
import { readParameters } from './request-parameters.js';
import type { Route } from './router.js';

/** What an app serves. */
export interface AppOptions {
  account: Account;
  host: Host;
  keys: IdempotencyKeys;
  expansions: Expansions;
  routes: readonly Route[];
  pages: readonly PageRoute[];
}

/** An app that can listen. */
export interface App {
  /** Listens on 127.0.0.1; returns the port. Throws when it is taken. */
  listen(port: number): Promise<number>;
  close(): Promise<void>;
}

/** Bodies beyond this are refused with 413. */
const bodyBytesMax = 2 ** 20;

/** Puts the routes behind HTTP. */
export function createApp({ routes, pages, ...options }: AppOptions): App {
  const closing = new AbortController();
  const context: CallContext = { ...options, held: new Set(), closing: closing.signal };
  const running = new Set<Promise<void>>();
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use((request, response, next) => admit(context, request, response, next));
  app.use(express.text({ type: () => true, limit: bodyBytesMax }));
  for (const route of routes) {
    app[route.method](route.path, (request, response) => {
      const work = serve(context, route, request, response).finally(() => running.delete(work));
      running.add(work);
    });
  }
  mountPages(app, options.account, pages);
  app.use((request, response) => send(response, unknownUrl(context, request, response)));
  app.use((error: unknown, request: Request, response: Response, _next: unknown) => {
    send(response, failure(context, identity(request, response), unreadable(error)));
  });
  const server = createServer(app);

  return {
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port); // A TCP server's address is never a pipe's.
        });
      }),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      closing.abort();
      await Promise.all(running);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The door: every answer gets its id and version, and faults strike here. */
function admit(context: CallContext, request: Request, response: Response, next: () => void): void {
  response.set({
    'Request-Id': context.account.newId('req'),
    'Stripe-Version': request.get('Stripe-Version') ?? apiVersion,
    'Cache-Control': 'no-cache, no-store',
  });
  const verdict = /^\/v[12]\//.test(request.path) ? meetFaults(context.account, context.host) : 'pass';
  if (verdict === 'pass') next();
  else if (verdict === 'reset') request.socket.resetAndDestroy();
  else if (verdict === 'bad_gateway') response.status(502).type('html').send(badGatewayPage);
  else send(response, failure(context, identity(request, response), verdict));
}

/** One API call. */
async function serve(
  context: CallContext,
  route: Route,
  request: Request,
  response: Response,
): Promise<void> {
  const answer = await answerTo(context, route, request, response);
  const { resetAfter } = context.account.faults.get();
  if (resetAfter > 0 && context.host.random.next() < resetAfter) request.socket.resetAndDestroy();
  else send(response, answer);
}

async function answerTo(
  context: CallContext,
  route: Route,
  request: Request,
  response: Response,
): Promise<Answer> {
  try {
    authenticate(context.account, route, request);
    const query = request.originalUrl.split('?')[1] ?? '';
    const parameters = readParameters({
      method: request.method,
      path: request.path,
      query,
      contentType: request.get('Content-Type') ?? '',
      body: typeof request.body === 'string' ? request.body : '',
    });
    return await answerCall(context, route, {
      ...identity(request, response),
      idempotencyKey: request.get('Idempotency-Key'),
      query,
      path: request.params as Record<string, string>, // No route has a wildcard, so no value is a list.
      parameters,
    });
  } catch (error) {
    return failure(context, identity(request, response), error);
  }
}

function authenticate(account: Account, route: Route, request: Request): void {
  const given = credential(request.get('Authorization'));
  if (route.auth === 'meter_event_session') checkStreamToken(account, given);
  else checkApiKey(given);
  const version = request.get('Stripe-Version');
  if (version !== undefined && !/^\d{4}-\d{2}-\d{2}(\.\w+)?$/.test(version))
    throw new ApiError(`Invalid Stripe API version: ${version}`);
}

function unknownUrl(context: CallContext, request: Request, response: Response): Answer {
  const error = new ApiError(
    `Unrecognized request URL (${request.method}: ${request.path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
    { status: 404 },
  );
  return failure(context, identity(request, response), error);
}

/** What the body parser or the path decoder threw, in Stripe's shape. */
function unreadable(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('status' in error)) return error;
  const status = Number(error.status);
  return status >= 400 && status < 500 ? new ApiError('The request could not be read.', { status }) : error;
}

function identity(request: Request, response: Response): { id: string; url: string } {
  return { id: String(response.get('Request-Id')), url: request.path };
}

function send(response: Response, answer: Answer): void {
  response.status(answer.status).set(answer.headers).type('application/json').send(answer.body);
}
