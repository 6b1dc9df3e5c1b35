/** Turns what was thrown into an answer; the one place where that happens. */

import type { ErrorRequestHandler, RequestHandler } from 'express';
import { MeterctlError } from '../../domain/error.js';
import { withoutKeys } from '../../keys/secret.js';
import type { Log } from '../../lib/host.js';
import type { Site } from '../pages/layout.js';
import { type ProblemCode, problemOf } from '../problem.js';
import { refuse } from '../refuse.js';

/** Answers errors. An operating error is told; a defect is logged whole and told as such. */
export function errors(log: Log, site: Site): ErrorRequestHandler {
  return function errors(error, req, res, next) {
    if (res.headersSent) return next(error);
    if (error instanceof MeterctlError) {
      const { code, cause } = error;
      const message = withoutKeys(error.message);
      // What Stripe or the database says to the operator is not for other people's eyes, and none of their mistakes.
      const ours = cause === undefined && code !== 'unauthorized' && code !== 'internal';
      if (!ours || code === 'unavailable' || code === 'conflict')
        log.warn('a request failed', { path: withoutKeys(req.path), code, reason: message });
      if (ours) return refuse(req, res, site, problemOf(code), message);
      return refuse(
        req,
        res,
        site,
        code === 'internal' ? 'internal' : 'unavailable',
        'Please try again later.',
      );
    }
    const code = codeOfBodyError(error);
    if (code) return refuse(req, res, site, code, 'The body cannot be read.');
    log.error('a request failed because of a defect', { path: withoutKeys(req.path), error });
    refuse(req, res, site, 'internal', 'Internal error.');
  };
}

/** Answers what no route took. */
export function notFound(site: Site): RequestHandler {
  return function notFound(req, res) {
    refuse(req, res, site, 'not_found', `There is nothing at ${req.method} ${withoutKeys(req.path)}.`);
  };
}

/** Express's body parsers throw errors with a `status`. */
function codeOfBodyError(error: unknown): ProblemCode | undefined {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) return 'payload_too_large';
  return typeof status === 'number' && status >= 400 && status < 500 ? 'invalid_request' : undefined;
}
