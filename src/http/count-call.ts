/** Counts paid calls by what they came to, whichever way they were answered. */

import type { Response } from 'express';
import { MeterctlError } from '../domain/error.js';
import type { Metrics } from './metrics.js';
import { problemOf, problemSent } from './problem.js';

/**
 * Answers a call, and counts it as soon as `answer` has decided on the answer's head: listening for the end of every answer
 * would cost more than all the counting.
 */
export async function countCall(metrics: Metrics, res: Response, answer: () => Promise<void>): Promise<void> {
  try {
    await answer();
    metrics.countCall(outcomeOf(res));
  } catch (error) {
    metrics.countCall(error instanceof MeterctlError ? problemOf(error.code) : 'internal');
    throw error;
  }
}

/**
 * The code of a refusal; otherwise `ok`, or `upstream_error` for what the upstream itself refused, or `client_gone` where nobody
 * was left to be told anything.
 */
function outcomeOf(res: Response): string {
  const refused = problemSent(res);
  if (refused !== undefined) return refused;
  if (res.destroyed && !res.headersSent) return 'client_gone';
  return res.statusCode < 400 ? 'ok' : 'upstream_error';
}
