/** The daemon's HTTP server: which route answers what, and how it starts and ends. */

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import type { InvoiceBilling } from '../domain/billing.js';
import { MeterctlError } from '../domain/error.js';
import type { Inbox } from '../webhooks/inbox.js';
import { assets } from './assets.js';
import { createExpressServer } from './born-express.js';
import { createInvoiceReader } from './invoice-reader.js';
import { countCalls } from './middleware/count-calls.js';
import { errors, notFound } from './middleware/errors.js';
import { requestId } from './middleware/request-id.js';
import { sameOrigin } from './middleware/same-origin.js';
import { type CheckoutDeps, checkout } from './routes/checkout.js';
import { alive, type HealthDeps, ready } from './routes/health.js';
import { abandoned, type HomeDeps, home } from './routes/home.js';
import { type MetricsDeps, metrics } from './routes/metrics.js';
import { type PaidDeps, paid } from './routes/paid.js';
import { type PortalDeps, portal } from './routes/portal.js';
import { claimKey, type SuccessDeps, showSuccess } from './routes/success.js';
import { type UsageDeps, usage } from './routes/usage.js';
import { webhook, webhookBodyMax } from './routes/webhook.js';

/** Everything that the routes need. */
export type ServerDeps = PaidDeps &
  CheckoutDeps &
  SuccessDeps &
  HomeDeps &
  Omit<UsageDeps & PortalDeps, 'invoiceOf'> &
  HealthDeps &
  MetricsDeps & {
    billing: InvoiceBilling;
    inbox: Inbox;
    /** How far `X-Forwarded-For` is believed: so many proxies, or those at these addresses. */
    trustProxy: number | readonly string[];
  };

/** A listening server. */
export interface HttpServer {
  /** Listens; port 0 takes any. Resolves with the port. Throws `unavailable` when the address is taken or not ours. */
  listen(port: number, host: string): Promise<number>;
  /** Takes no new connection, lets running requests finish, and ends idle connections. */
  close(): Promise<void>;
}

/** Bodies of the forms and small JSON that people send. */
const bodyMax = '16kb';

/** Every route in the order in which it is tried. */
export function createApp(deps: ServerDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', deps.trustProxy);
  app.use(requestId(deps.host.ids));
  app.all(['/api', '/api/{*rest}'], countCalls(deps.metrics, paid(deps)));
  app.post(
    '/webhook',
    express.raw({ type: () => true, limit: webhookBodyMax }),
    webhook(deps.inbox, deps.metrics),
  );
  const invoiceOf = createInvoiceReader({ ...deps, clock: deps.host.clock });
  app.get('/usage/:customer', usage({ ...deps, invoiceOf }));
  app.get('/healthz', alive);
  app.get('/readyz', ready(deps));
  app.get('/metrics', metrics(deps));
  const forms = [express.json({ limit: bodyMax }), express.urlencoded({ extended: false, limit: bodyMax })];
  app.post('/checkout', forms, checkout(deps));
  app.get('/success', showSuccess(deps));
  app.post('/success', sameOrigin(deps), forms, claimKey(deps));
  app.use('/portal', portal({ ...deps, invoiceOf }));
  app.get('/', home(deps));
  app.get('/error', abandoned(deps));
  app.get('/assets/:name', assets);
  app.use(notFound(deps.offer));
  app.use(errors(deps.host.log, deps.offer));
  return app;
}

/** Puts a server around the app. Nothing listens before `listen`. */
export function createHttpServer(app: Express): HttpServer {
  const server = createExpressServer(app);
  return {
    listen: (port, host) => listen(server, port, host),
    async close() {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await closed;
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
