/** One API call from checked credentials to its answer: faults, idempotency, the transaction, the rendering. */

import type { Host } from '../lib/host.js';
import type { Account } from './account.js';
import { ApiError, errorBody } from './api-error.js';
import { type Expansions, render } from './expand.js';
import type { Faults } from './faults.js';
import type { Answer, IdempotencyKeys } from './idempotency.js';
import type { Prepared, RawRequest, Route } from './router.js';

/** What calls need beside the request. */
export interface CallContext {
  account: Account;
  keys: IdempotencyKeys;
  expansions: Expansions;
  host: Host;
  /** What running calls hold alone (see `Prepared.exclusive`). */
  held: Set<string>;
  /** Aborts when the emulator closes. */
  closing: AbortSignal;
}

/** Answers one call. Never throws: what goes wrong is an answer too. */
export async function answerCall(context: CallContext, route: Route, request: RawRequest): Promise<Answer> {
  try {
    const prepared = route.prepare(request);
    const { idempotencyKey } = request;
    if (idempotencyKey === undefined || !takesKey(route)) return await run(context, route, request, prepared);
    return await runUnderKey(context, route, request, prepared, idempotencyKey);
  } catch (error) {
    return failure(context, request, error);
  }
}

/** v1 understands the key on POST, v2 on DELETE as well (stripe-facts 9). */
function takesKey(route: Route): boolean {
  return route.method === 'post' || (route.method === 'delete' && route.path.startsWith('/v2/'));
}

async function runUnderKey(
  context: CallContext,
  route: Route,
  request: RawRequest,
  prepared: Prepared,
  key: string,
): Promise<Answer> {
  const { account, host, keys } = context;
  const standing = keys.begin({
    key,
    endpoint: request.url,
    parameters: request.parameters,
    requestId: request.id,
    nowSec: account.clock.nowSec(),
    nowMs: host.clock.nowMs(),
    latencyMs: account.faults.get().latencyMs,
  });
  if (standing) return standing;
  const answer = await run(context, route, request, prepared, (given) => {
    // v1 replays whatever a call that began has answered, a 500 too; v2 runs a failed one again.
    const kept = route.path.startsWith('/v1/') ? given.status !== 429 : given.status < 400;
    if (kept) keys.finish(key, given);
    else keys.release(key);
  });
  return { ...answer, headers: { ...answer.headers, 'Idempotency-Key': key } };
}

/** Runs a call; `settle` is called in the same transaction as the work. */
async function run(
  context: CallContext,
  route: Route,
  request: RawRequest,
  prepared: Prepared,
  settle: (answer: Answer) => void = () => undefined,
): Promise<Answer> {
  const { account, held, host } = context;
  const faults = account.faults.get();
  const alone = faults.oneCallPerCustomerAndMeter ? prepared.exclusive : undefined;
  if (alone !== undefined && held.has(alone)) {
    const answer = failure(context, request, tooMany(faults, 'resource-specific'));
    settle(answer);
    return answer;
  }
  try {
    if (alone !== undefined) held.add(alone);
    if (faults.latencyMs > 0) await host.clock.sleep(faults.latencyMs, context.closing);
    const perform = () => {
      const answer = execute(context, route, request, prepared, faults);
      settle(answer);
      return answer;
    };
    return route.method === 'get' ? perform() : account.write(perform);
  } finally {
    if (alone !== undefined) held.delete(alone);
  }
}

/** The work itself. A failing 500 has done the work half of the time: its caller cannot know. */
function execute(
  context: CallContext,
  route: Route,
  request: RawRequest,
  prepared: Prepared,
  faults: Faults,
): Answer {
  const { host } = context;
  const fails = faults.serverError > 0 && host.random.next() < faults.serverError;
  if (fails && host.random.next() < 0.5) return failure(context, request, internalError());
  const cause = { id: request.id, idempotencyKey: request.idempotencyKey };
  const account = context.account.causedBy(cause);
  const work = () => render(account, prepared.run(account), prepared.expand, context.expansions);
  try {
    const body = route.method === 'get' ? work() : account.write(work);
    return fails
      ? failure(context, request, internalError())
      : { status: 200, headers: {}, body: JSON.stringify(body) };
  } catch (error) {
    return failure(context, request, error);
  }
}

/** The answer for an error. One that is not ours is logged, and told as Stripe tells its own. */
export function failure(context: CallContext, request: { id: string; url: string }, error: unknown): Answer {
  const known = error instanceof ApiError ? error : internalError();
  if (known !== error) context.host.log.error('the emulator failed', { error, url: request.url });
  // A 429 or 409 may be retried; for the rest the same call would only be answered the same (stripe-facts 9).
  const retry: Record<string, string> =
    known.status === 429 || known.status === 409 ? {} : { 'Stripe-Should-Retry': 'false' };
  return {
    status: known.status,
    headers: { ...retry, ...known.headers },
    body: JSON.stringify(errorBody(known, request.id, context.account.id)),
  };
}

/** A 429, with what the caller may read to behave. */
export function tooMany(faults: Faults, reason: 'global-rate' | 'resource-specific'): ApiError {
  return new ApiError(
    'Request rate limit exceeded. Learn more about rate limits here https://docs.stripe.com/rate-limits.',
    {
      status: 429,
      code: 'rate_limit',
      headers: { 'Retry-After': String(faults.retryAfterSec), 'Stripe-Rate-Limited-Reason': reason },
    },
  );
}

function internalError(): ApiError {
  return new ApiError('An unknown error occurred', { status: 500, type: 'api_error' });
}
