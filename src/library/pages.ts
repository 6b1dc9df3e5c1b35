/** The pages of the daemon inside of somebody's own app. */

import type { Request, Response } from 'express';
import { errors } from '../http/middleware/errors.js';
import { addPages, createBareApp, type PagesDeps } from '../http/pages-app.js';
import { requestId } from '../http/request-id.js';
import type { Middleware } from './contract.js';

/** All other paths are none of our business. */
const own = /^\/(assets|checkout|error|portal|success|usage|webhook)([/?]|$)/i;

/** Makes the middleware. */
export function pages(deps: PagesDeps): Middleware {
  const app = createBareApp(deps);
  app.use(requestId(deps.host.ids));
  addPages(app, deps);
  app.use(errors(deps.host.log, deps.offer));
  return function meterctl(req, res, next) {
    if (!own.test(req.url ?? '')) return next();
    // Express makes both its own, whosever they were; what goes on from here is given back as it was, as it does itself.
    const [request, response] = [Object.getPrototypeOf(req), Object.getPrototypeOf(res)];
    app(req as Request, res as Response, (error?: unknown) => {
      Object.setPrototypeOf(req, request);
      Object.setPrototypeOf(res, response);
      next(error);
    });
  };
}
