/** Counts paid calls by what they came to, whichever way they were answered. */

import type { RequestHandler, Response } from 'express';
import { MeterctlError } from '../../domain/error.js';
import type { Metrics } from '../metrics.js';
import { problemOf, problemSent } from '../problem.js';

/**
 * The same handler, whose calls are counted as soon as it has decided on the answer's head. It is wrapped because listening
 * for the end of every answer would cost more than all the counting.
 */
export function countCalls(metrics: Metrics, handler: RequestHandler): RequestHandler {
  return async function countCalls(req, res, next) {
    try {
      await handler(req, res, next);
      metrics.countCall(outcomeOf(res));
    } catch (error) {
      metrics.countCall(error instanceof MeterctlError ? problemOf(error.code) : 'internal');
      throw error;
    }
  };
}

/** The code of a refusal; otherwise `ok`, or `upstream_error` for what the upstream itself refused. */
function outcomeOf(res: Response): string {
  return problemSent(res) ?? (res.statusCode < 400 ? 'ok' : 'upstream_error');
}
