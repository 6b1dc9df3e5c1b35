/** Sells calls of a handler that takes a `Request` and returns a `Response`. */

import { MeterctlError } from '../domain/error.js';
import { type ProblemAnswer, problemAnswer, type Refusal } from '../http/problem.js';
import { idOfRequest } from '../http/request-id.js';
import { pairs } from '../lib/header-list.js';
import type { Host } from '../lib/host.js';
import { AnswerBody } from './answer-body.js';
import { Call, refusalFor } from './call.js';
import type { FetchHandler, FetchPrice } from './contract.js';
import type { Pricing } from './pricing.js';
import { sizeByHead } from './request-body.js';
import type { Order, Sales } from './sales.js';

/** What selling needs. */
export interface FetchDeps {
  sales: Sales;
  host: Pick<Host, 'ids' | 'log' | 'clock'>;
  metrics: { countCall(outcome: string): void };
}

/** What servers note for a client that is gone; nobody gets it. */
const clientGone = 499;

/** A handler whose calls are sold. */
export function sellFetch<R extends Request, Rest extends unknown[]>(
  deps: FetchDeps,
  pricing: Pricing,
  address: FetchPrice<R, Rest>['address'],
  handler: FetchHandler<R, Rest>,
): (request: R, ...rest: Rest) => Promise<Response> {
  return async function meterctl(request, ...rest) {
    demandRequest(request);
    const requestId = idOfRequest(deps.host.ids, request.headers.get('x-request-id'));
    const call = await deps.sales.begin(
      orderOf(request, requestId, pricing, () => address?.(request, ...rest)),
    );
    if (!(call instanceof Call)) return refusalAnswer(call, requestId);
    let body: AnswerBody | undefined;
    const hangUp = () => {
      if (body) void body.abandon(request.signal.reason);
      else if (call.outlivesClient) void call.goOnAlone();
      else call.end('client-gone');
    };
    request.signal.addEventListener('abort', hangUp, { once: true });
    // It hung up while it was being let in, and nobody would be told of it any more.
    if (request.signal.aborted) {
      call.end('client-gone');
      return new Response(null, { status: clientGone });
    }
    try {
      const response = await handler(request, call.meter, ...rest);
      body = new AnswerBody(call, response.body);
      const answer = await bill(deps, call, { request, response, body, requestId });
      // Where its client hung up before there was an answer, none may be there to read it.
      if (request.signal.aborted) void body.abandon(request.signal.reason);
      return answer;
    } catch (error) {
      call.end('upstream-gone');
      throw error;
    }
  };
}

/** Frameworks call handlers with objects of their own, which types do not always tell from a `Request`. */
function demandRequest(request: Request): void {
  if (typeof request?.headers?.get === 'function') return;
  throw new MeterctlError('invalid', 'What fetch() has wrapped was not called with a Request.', {
    hint: 'In Hono: app.get(path, (c) => sold(c.req.raw, c)). For Express there is express().',
  });
}

function orderOf(
  { method, url, headers, body }: Request,
  requestId: string,
  pricing: Pricing,
  address: () => string | undefined,
): Order {
  const { pathname, search } = new URL(url);
  const target = pathname + search;
  const contentLength = headers.get('content-length') ?? undefined;
  return {
    route: pricing({ method, url: target, pattern: undefined }),
    url: target,
    ...{ requestId, contentLength },
    headers: {
      authorization: headers.get('authorization') ?? undefined,
      'x-api-key': headers.get('x-api-key') ?? undefined,
    },
    // Who reads it cannot be seen: that may be the framework, and the `Request` is the framework's own.
    body: contentLength === undefined && body !== null ? undefined : sizeByHead(contentLength),
    get ip() {
      return address();
    },
  };
}

/** A handler's answer, and what it answers. */
interface Answered {
  request: Request;
  response: Response;
  body: AnswerBody;
  requestId: string;
}

/** The answer with its bill, as soon as that is on disk. */
async function bill(
  deps: FetchDeps,
  call: Call,
  { request, response, body, requestId }: Answered,
): Promise<Response> {
  // Frameworks answer HEAD as GET, and drop the body without a word.
  const isHead = request.method === 'HEAD';
  const isWhole = (await body.look(deps.host.clock)) || isHead;
  const headers = new Headers(response.headers);
  const said = headers.get('meterctl-units');
  headers.delete('meterctl-units');
  const head = {
    status: response.status,
    unitsSaid: said === null ? [] : said.split(',').map((text) => text.trim()),
    contentType: headers.get('content-type') ?? undefined,
    contentEncoding: headers.get('content-encoding') ?? undefined,
  };
  let fields: string[];
  try {
    fields = await call.head(head, isWhole);
  } catch (error) {
    const refusal = refusalFor(error);
    deps.metrics.countCall(refusal.refused);
    void body.discard();
    if (refusal.refused === 'internal') throw error;
    call.end('upstream-gone');
    return refusalAnswer(refusal, requestId);
  }
  deps.metrics.countCall(head.status < 400 ? 'ok' : 'upstream_error');
  headers.set('X-Request-Id', requestId);
  for (const [name, value] of pairs([...call.fields, ...fields])) headers.set(name, value);
  const { status, statusText } = response;
  if (isHead) void body.leave();
  return new Response(isHead ? null : body.rest(), { status, statusText, headers });
}

function refusalAnswer(refusal: Refusal, requestId: string): Response {
  const answer: ProblemAnswer = problemAnswer(refusal.refused, refusal.detail, requestId, refusal.more);
  const { status, body } = answer;
  return new Response(body, { status, headers: { ...refusal.headers, ...answer.headers } });
}
