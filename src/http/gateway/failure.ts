/** What the client is told when the upstream gives no answer. */

import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';
import { MeterctlError } from '../../domain/error.js';
import { discardRest } from '../discard-rest.js';
import { type Refusal, sendRefusal } from '../problem.js';
import { BodyTooLarge } from './body.js';
import { RefusedCall } from './call-meter.js';

/** Set before the upstream is asked. */
const ours: ReadonlySet<string> = new Set(['meterctl-warning']);

/** Answers for the upstream. Once the head is out, all that can be said is that the answer is not whole. */
export function sendFailure(req: IncomingMessage, res: Response, error: unknown): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  // What the upstream said, as far as it was taken over, does not belong to this answer.
  for (const name of res.getHeaderNames()) if (!ours.has(name)) res.removeHeader(name);
  discardRest(req, res);
  sendRefusal(res, refusalFor(error));
}

function refusalFor(error: unknown): Refusal {
  if (error instanceof RefusedCall) return error.refusal;
  if (error instanceof BodyTooLarge) return { refused: 'payload_too_large', detail: error.message };
  const detail = 'The call is not billed. Please try again.';
  if (error instanceof MeterctlError) return { refused: 'ledger_unavailable', detail };
  if (codeOf(error) !== 'UND_ERR_HEADERS_TIMEOUT') return { refused: 'upstream_unavailable', detail };
  return { refused: 'upstream_timeout', detail: 'The call is not billed. It may have been carried out.' };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether the upstream is to blame, and not the ledger, a limit or the client. */
export function isUpstreamsFault(error: unknown): error is Error {
  const others = [MeterctlError, RefusedCall, BodyTooLarge];
  return error instanceof Error && !others.some((kind) => error instanceof kind);
}
