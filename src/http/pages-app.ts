/** What buyers, customers and Stripe reach beside the paid calls: Checkout, the key, the portal, webhooks. */

import express, { type Express } from 'express';
import type { InvoiceBilling } from '../domain/billing.js';
import type { Inbox } from '../webhooks/inbox.js';
import { assets } from './assets.js';
import { createInvoiceReader } from './invoice-reader.js';
import type { Metrics } from './metrics.js';
import { sameOrigin } from './middleware/same-origin.js';
import { type CheckoutDeps, checkout } from './routes/checkout.js';
import type { HealthDeps } from './routes/health.js';
import { abandoned, type HomeDeps } from './routes/home.js';
import type { MetricsDeps } from './routes/metrics.js';
import { type PortalDeps, portal } from './routes/portal.js';
import { type SuccessDeps, success } from './routes/success.js';
import { type UsageDeps, usage } from './routes/usage.js';
import { webhook, webhookBodyMax } from './routes/webhook.js';

/** Everything that the pages need. */
export type PagesDeps = CheckoutDeps &
  SuccessDeps &
  HomeDeps &
  Omit<UsageDeps & PortalDeps, 'invoiceOf'> &
  HealthDeps &
  MetricsDeps & {
    billing: InvoiceBilling;
    inbox: Inbox;
    metrics: Metrics;
    /** How far `X-Forwarded-For` is believed: so many proxies, or those at these addresses. */
    trustProxy: number | readonly string[];
  };

/** Bodies of the forms and small JSON that people send. */
const bodyMax = '16kb';

/** An app with nothing in it, set up as all of ours are. */
export function createBareApp({ trustProxy }: Pick<PagesDeps, 'trustProxy'>): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', trustProxy);
  return app;
}

/** Adds the pages. */
export function addPages(app: Express, deps: PagesDeps): void {
  const invoiceOf = createInvoiceReader({ ...deps, clock: deps.host.clock });
  const forms = [express.json({ limit: bodyMax }), express.urlencoded({ extended: false, limit: bodyMax })];
  app.post(
    '/webhook',
    express.raw({ type: () => true, limit: webhookBodyMax }),
    webhook(deps.inbox, deps.metrics),
  );
  app.get('/usage/:customer', usage({ ...deps, invoiceOf }));
  app.post('/checkout', forms, checkout(deps));
  app.get('/checkout', (_req, res) => res.redirect(303, '/'));
  const { show, claim } = success(deps);
  app.get('/success', show);
  app.post('/success', sameOrigin(deps), forms, claim);
  app.use('/portal', portal({ ...deps, invoiceOf }));
  app.get('/error', abandoned(deps));
  app.get('/assets/:name', assets);
}
