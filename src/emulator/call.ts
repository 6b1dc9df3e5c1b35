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

/** A call whose parameters have been checked. */
interface Call {
  route: Route;
  request: RawRequest;
  prepared: Prepared;
}

/** Answers one call. Never throws: what goes wrong is an answer too. */
export async function answerCall(context: CallContext, route: Route, request: RawRequest): Promise<Answer> {
  try {
    const call = { route, request, prepared: route.prepare(request) };
    const { latencyMs } = context.account.faults.get();
    if (latencyMs === 0) return atOnce(context, call);
    return await heldUp(context, call, latencyMs);
  } catch (error) {
    return failure(context, request, error);
  }
}

/** The whole call in one transaction. */
function atOnce(context: CallContext, call: Call): Answer {
  if (call.route.method === 'get') return execute(context, call);
  return context.account.write(() => takeKey(context, call, 0) ?? perform(context, call));
}

/** A call that takes its time: its key is taken before, and others may come in between. */
async function heldUp(context: CallContext, call: Call, latencyMs: number): Promise<Answer> {
  const { account, held, host } = context;
  const faults = account.faults.get();
  const alone = faults.oneCallPerCustomerAndMeter ? call.prepared.exclusive : undefined;
  if (alone !== undefined && held.has(alone)) throw tooManyAtOnce(call.route, faults);
  const standing = takeKey(context, call, latencyMs);
  if (standing) return standing;
  try {
    if (alone !== undefined) held.add(alone);
    await host.clock.sleep(latencyMs, context.closing);
    if (call.route.method === 'get') return execute(context, call);
    return account.write(() => perform(context, call));
  } finally {
    if (alone !== undefined) held.delete(alone);
  }
}

/** The key of a call that has one. v1 understands keys on POST, v2 on DELETE as well (stripe-facts 9). */
function keyOf({ route, request }: Call): string | undefined {
  const takes = route.method === 'post' || (route.method === 'delete' && route.path.startsWith('/v2/'));
  return takes ? request.idempotencyKey : undefined;
}

/** Takes the key of a call; hands back the answer that stands under it already. */
function takeKey({ account, host, keys }: CallContext, call: Call, latencyMs: number): Answer | undefined {
  const key = keyOf(call);
  if (key === undefined) return undefined;
  return keys.begin({
    key,
    endpoint: call.request.url,
    parameters: call.request.parameters,
    requestId: call.request.id,
    nowSec: account.clock.nowSec(),
    nowMs: host.clock.nowMs(),
    latencyMs,
  });
}

/** Runs a call that writes, and keeps its answer under its key. */
function perform(context: CallContext, call: Call): Answer {
  const answer = execute(context, call);
  const key = keyOf(call);
  if (key === undefined) return answer;
  // v1 replays whatever a call that began has answered, a 500 too; v2 runs a failed one again.
  if (call.route.path.startsWith('/v1/') || answer.status < 400) context.keys.finish(key, answer);
  else context.keys.release(key);
  return { ...answer, headers: { ...answer.headers, 'Idempotency-Key': key } };
}

/** The work itself. A failing 500 has done the work half of the time: its caller cannot know. */
function execute(context: CallContext, { route, request, prepared }: Call): Answer {
  const { host } = context;
  const faults = context.account.faults.get();
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

/** v2 answers 409 where v1 answers 429 (stripe-facts 3a, 3c). */
function tooManyAtOnce(route: Route, faults: Faults): ApiError {
  if (route.path.startsWith('/v1/')) return tooMany(faults, 'resource-specific');
  return new ApiError('Too many concurrent requests for this customer and meter.', {
    status: 409,
    code: 'too_many_concurrent_requests',
  });
}

function internalError(): ApiError {
  return new ApiError('An unknown error occurred', { status: 500, type: 'api_error' });
}
