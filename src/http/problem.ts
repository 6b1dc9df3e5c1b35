/** Refusals and errors as HTTP answers: `application/problem+json` (RFC 9457) with a stable `code`. One table, all of it here. */

import type { ServerResponse } from 'node:http';
import type { ErrorCode } from '../domain/error.js';
import { requestIdOf } from './request-id.js';

/** Everything that an answer can be refused for. */
export type ProblemCode = keyof typeof problems;

/** A refusal with its explanation. */
export interface Refusal {
  refused: ProblemCode;
  detail: string;
  /** More members of the answer, such as `checkout_url`. */
  more?: Record<string, string>;
  /** Header fields of the answer. */
  headers?: Record<string, string>;
}

/** Status and title of each refusal. */
const problems = {
  invalid_request: [400, 'The request is not valid'],
  invalid_signature: [400, 'The signature does not fit the body'],
  missing_api_key: [401, 'An API key is needed'],
  invalid_api_key: [401, 'The API key is not valid'],
  expired_api_key: [401, 'The API key has expired'],
  revoked_api_key: [401, 'The API key was revoked'],
  subscription_inactive: [402, 'There is no active subscription'],
  payment_required: [402, 'A payment is due'],
  spend_cap_reached: [402, 'The spend cap is reached'],
  prepaid_exhausted: [402, 'The prepaid units are used up'],
  customer_suspended: [403, 'The customer is suspended'],
  insufficient_scope: [403, 'The API key may not do this'],
  ip_not_allowed: [403, 'The API key may not be used from this address'],
  forbidden: [403, 'This is not yours to see'],
  cross_origin: [403, 'The form came from another site'],
  not_found: [404, 'There is no such thing'],
  conflict: [409, 'This contradicts what is there'],
  already_subscribed: [409, 'There is a subscription already'],
  idempotency_in_progress: [409, 'The first call is still running'],
  idempotency_key_reused: [409, 'The first answer was not kept'],
  idempotency_key_mismatch: [422, 'The Idempotency-Key belongs to another request'],
  payload_too_large: [413, 'The body is too large'],
  rate_limited: [429, 'Too many requests'],
  quota_exceeded: [429, 'The quota is used up'],
  internal: [500, 'Something went wrong here'],
  upstream_unavailable: [502, 'The upstream cannot be reached'],
  ledger_unavailable: [503, 'Usage cannot be recorded now'],
  unavailable: [503, 'A service behind this one cannot be reached'],
  upstream_timeout: [504, 'The upstream did not answer in time'],
} as const satisfies Record<string, readonly [number, string]>;

/** Which refusal an operating error becomes. A refused Stripe key is the operator's trouble, so a buyer sees 503. */
const codeOfError: Record<ErrorCode, ProblemCode> = {
  invalid: 'invalid_request',
  not_found: 'not_found',
  unauthorized: 'unavailable',
  conflict: 'conflict',
  unavailable: 'unavailable',
  interrupted: 'unavailable',
  internal: 'internal',
};

/** The refusal for an operating error. */
export function problemOf(code: ErrorCode): ProblemCode {
  return codeOfError[code];
}

/** Status and title of a refusal. */
export function statusAndTitle(code: ProblemCode): { status: number; title: string } {
  const [status, title] = problems[code];
  return { status, title };
}

/** What each answer was refused for. */
const sent = new WeakMap<ServerResponse, ProblemCode>();

/** The code of the refusal that was sent; `undefined` when none was. */
export function problemSent(res: ServerResponse): ProblemCode | undefined {
  return sent.get(res);
}

/** A refusal as an answer. */
export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The answer that a refusal is told with. `more` adds members such as `checkout_url`. */
export function problemAnswer(
  code: ProblemCode,
  detail: string,
  requestId: string,
  more: Record<string, unknown> = {},
): ProblemAnswer {
  const { status, title } = statusAndTitle(code);
  const problem = { type: 'about:blank', title, status, code, detail, request_id: requestId, ...more };
  const body = JSON.stringify(problem);
  const headers: Record<string, string> = {
    'X-Request-Id': requestId,
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
  };
  // RFC 6750 3: the challenge comes with every 401.
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  return { status, headers, body };
}

/** Sends a refusal. */
export function sendProblem(
  res: ServerResponse,
  code: ProblemCode,
  detail: string,
  more: Record<string, unknown> = {},
): void {
  const { status, headers, body } = problemAnswer(code, detail, requestIdOf(res), more);
  sent.set(res, code);
  res.writeHead(status, headers);
  res.end(body);
}

/** Sends a refusal with the header fields that belong to it. */
export function sendRefusal(res: ServerResponse, { refused, detail, more, headers = {} }: Refusal): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  sendProblem(res, refused, detail, more);
}
