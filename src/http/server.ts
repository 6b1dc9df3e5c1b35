/** The daemon's HTTP server: which route answers what, and how it starts and ends. */

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { MeterctlError } from '../domain/error.js';
import { createExpressServer } from './born-express.js';
import { errors, notFound } from './middleware/errors.js';
import { addPages, createBareApp, type PagesDeps } from './pages-app.js';
import { requestId } from './request-id.js';
import { alive, ready } from './routes/health.js';
import { home } from './routes/home.js';
import { metrics } from './routes/metrics.js';
import { createSale, type Sale, type SaleDeps } from './sale.js';

/** Everything that the routes need. */
export type ServerDeps = SaleDeps & PagesDeps;

/** A listening server. */
export interface HttpServer {
  /** Listens; port 0 takes any. Resolves with the port. Throws `unavailable` when the address is taken or not ours. */
  listen(port: number, host: string): Promise<number>;
  /** Takes no new connection, lets running requests finish within a grace, and ends idle connections. */
  close(): Promise<void>;
}

/** Streams that have no end of their own get so long at the end of the server's. */
const closeGraceMs = 10_000;

/** A large upload over a slow line takes longer than the five minutes that Node allows. */
const requestTimeoutMs = 60 * 60_000;

/** Every route; `sale` first. */
function createApp(deps: ServerDeps, sale: Sale): Express {
  const app = createBareApp(deps);
  app.use(function sold(req, res, next) {
    return sale(req, res) ?? next();
  });
  app.use(requestId(deps.host.ids));
  addPages(app, deps);
  app.get('/healthz', alive);
  app.get('/readyz', ready(deps));
  app.get('/metrics', metrics(deps));
  app.get('/', home(deps));
  app.use(notFound(deps.offer));
  app.use(errors(deps.host.log, deps.offer));
  return app;
}

/**
 * Makes the server. Nothing listens before `listen`. Calls that are sold do not take the way through
 * Express's router, which costs more than all the rest of a call.
 */
export function createHttpServer(deps: ServerDeps): HttpServer {
  const sale = createSale(deps);
  const app = createApp(deps, sale);
  const fail = errors(deps.host.log, deps.offer);
  const { server, close, cut } = createExpressServer(app, (req, res) => {
    const answering = sale(req, res);
    if (!answering) app(req, res);
    else answering.catch((error: unknown) => fail(error, req, res, () => res.destroy()));
  });
  server.requestTimeout = requestTimeoutMs;
  // Whoever is refused must not have sent his body before (RFC 9110 10.1.1): a sale asks for it when it is wanted.
  server.on('checkContinue', (req, res) => {
    if (!deps.routes.find(req.method ?? '', req.url ?? '')) res.writeContinue();
    server.emit('request', req, res);
  });
  return {
    listen: (port, host) => listen(server, port, host),
    async close() {
      if (!server.listening) return;
      const ended = new AbortController();
      const grace = deps.host.clock.sleep(closeGraceMs, ended.signal).then(cut);
      await close();
      ended.abort();
      await grace;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message;
      reject(
        new MeterctlError('unavailable', `Cannot listen on ${host}:${port}: ${why}.`, {
          hint: 'Choose another with --port, or 0 for any.',
          cause: error,
        }),
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
