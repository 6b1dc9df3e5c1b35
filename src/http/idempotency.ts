/** `Idempotency-Key` on paid calls (draft-ietf-httpapi-idempotency-key-header): the same request under the same key is billed once. */

import { createHash, hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Request, Response } from 'express';
import type { Calling } from '../access/admission.js';
import { type Answer, type AnsweredCall, answerBytesMax, type KeptAnswer } from '../domain/answer.js';
import { MeterctlError } from '../domain/error.js';
import type { RecordedUsage } from '../domain/usage.js';
import { pairs } from '../lib/header-list.js';
import type { Begun, RepeatGuard } from '../metering/repeat-guard.js';
import { type AdmitDeps, limitHeaders } from './admit.js';
import { discardRest } from './discard-rest.js';
import { askForBody } from './gateway/body.js';
import { requestTarget } from './gateway/request-head.js';
import { hasBody } from './has-body.js';
import { sendProblem } from './problem.js';
import { requestIdOf } from './request-id.js';

/** A body under a key is read whole before anything else, so it is bounded. */
const requestBytesMax = 1024 * 1024;

/** Printable ASCII; Stripe's own keys have at most as many characters. */
const keyPattern = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

/** What calls under a key need. */
export interface KeyedDeps extends Pick<AdmitDeps, 'admission'> {
  repeats: Pick<RepeatGuard, 'begin'>;
}

/** A call that is carried out under a key. */
export interface KeyedRequest {
  /** The request's body, which has been read. */
  body: Buffer;
  /** What the ledger is told, so that the answer is kept with the usage. */
  answered(answerTo: (recorded: RecordedUsage) => Answer): AnsweredCall;
  /** Gives the key free; what was kept stays. To be called when the answer is kept, or will never be. */
  end(): void;
  /** Answers with what another process kept under the key meanwhile. */
  repeat(): Promise<void>;
}

/** Begins a call that has an `Idempotency-Key`. Without a result it is answered. */
export async function beginKeyed(
  deps: KeyedDeps,
  req: Request,
  res: Response,
  call: Calling & { atMs: number },
): Promise<KeyedRequest | undefined> {
  const idempotencyKey = String(req.headers['idempotency-key']);
  if (!keyPattern.test(idempotencyKey)) {
    sendProblem(res, 'invalid_request', 'An Idempotency-Key is 1 to 255 printable ASCII characters.');
    return undefined;
  }
  askForBody(req, res);
  const body = await readBody(req);
  if (!body) {
    discardRest(req, res);
    sendProblem(
      res,
      'payload_too_large',
      `A body with an Idempotency-Key may have ${requestBytesMax} bytes.`,
    );
    return undefined;
  }
  const fingerprint = fingerprintOf(req, body);
  const { caller, atMs } = call;
  const begin = () =>
    deps.repeats.begin({ customerNo: caller.customer.no, atMs, idempotencyKey, fingerprint });
  const answerRepeat = async (begun: Repeated) => {
    if (begun.kind !== 'repeat') sendProblem(res, refusals[begun.kind].code, refusals[begun.kind].detail);
    else if (begun.answer.body === null) sendNotKept(res, begun.answer);
    else sendKept(res, begun.answer, begun.answer.body, await limitHeaders(deps.admission, call));
  };
  try {
    const begun = await begin();
    if (begun.kind !== 'first') {
      await answerRepeat(begun);
      return undefined;
    }
    return {
      body,
      answered: (answerTo) => ({ idempotencyKey, fingerprint, answerTo }),
      end: begun.end,
      async repeat() {
        begun.end();
        const again = await begin();
        if (again.kind !== 'first') return answerRepeat(again);
        again.end();
        throw new MeterctlError('internal', 'What the ledger knows a call by is not kept.');
      },
    };
  } catch (error) {
    if (!(error instanceof MeterctlError)) throw error;
    sendProblem(
      res,
      'ledger_unavailable',
      'It cannot be told now whether this is a repeat. Please try again.',
    );
  }
  return undefined;
}

type Repeated = Exclude<Begun, { kind: 'first' }>;

const refusals = {
  running: {
    code: 'idempotency_in_progress',
    detail: 'The first call under this Idempotency-Key is still running.',
  },
  other: {
    code: 'idempotency_key_mismatch',
    detail: 'This Idempotency-Key was used for another request.',
  },
} as const;

/** Answers the repeat of a call whose answer is not there any more. */
function sendNotKept(res: Response, { units }: KeptAnswer): void {
  const why = `it was longer than ${answerBytesMax} bytes, cut off, or a WebSocket's`;
  const detail = `This call was carried out and billed, but its answer was not kept: ${why}.`;
  sendProblem(res, 'idempotency_key_reused', detail, { units });
}

/** Answers a repeat as the first call was answered. */
function sendKept(
  res: Response,
  { status, headers, units }: KeptAnswer,
  body: Uint8Array,
  limits: readonly string[],
): void {
  res.setHeader('X-Request-Id', requestIdOf(res));
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  for (const [name, value] of pairs(limits)) res.setHeader(name, value);
  // Where there is no body its length is that of another answer (RFC 9110 8.6), which nobody kept.
  if (hasBody(res.req.method, status)) res.setHeader('Content-Length', body.length);
  res.writeHead(status, { 'Meterctl-Units': units, 'Idempotent-Replayed': 'true' });
  res.end(body);
}

/** Method, path and query without our key, and body. */
function fingerprintOf(req: Request, body: Buffer): Uint8Array {
  const head = `${req.method} ${requestTarget(req.url)}\n`;
  return createHash('sha256')
    .update(head)
    .update(hash('sha256', body, 'buffer'))
    .digest();
}

/** The whole body; `undefined` when it is too large, or its sender has gone. */
function readBody(req: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > requestBytesMax) resolve(undefined);
      else chunks.push(chunk);
    });
    req.on('end', () => resolve(Buffer.concat(chunks)));
    req.on('error', () => resolve(undefined));
    req.on('close', () => resolve(undefined));
  });
}
