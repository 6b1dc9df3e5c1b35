/** The body of a request on its way to the upstream. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';

/** The body is longer than the operator allows. */
export class BodyTooLarge extends Error {
  constructor(bytesMax: number) {
    super(`The body may have at most ${bytesMax} bytes.`);
    this.name = 'BodyTooLarge';
  }
}

/** What is known of a body while it passes. */
export interface BodyCount {
  bytes: number;
  /** Whether all of it has passed. */
  ended: boolean;
}

/** What a body is held to on its way. */
export interface BodyLimits {
  bytesMax: number;
  /**
   * Waited for before another piece is passed on. An upstream may answer before it has the body, and close: what is written
   * to it then fails, and takes the answer that has come along.
   */
  heard(): Promise<void>;
}

/** Tells a client that waits with its body until somebody wants it (RFC 9110 10.1.1). */
export function askForBody(req: IncomingMessage, res: ServerResponse): void {
  if (/^100-continue$/i.test(req.headers.expect ?? '')) res.writeContinue();
}

/**
 * The body, as something that undici reads when the request is being sent and not before. Until then another upstream may
 * still be given the same request. It is not the request itself, because undici destroys a stream that it could not send.
 */
export function lazyBody(
  req: IncomingMessage,
  res: ServerResponse,
  count: BodyCount,
  limits: BodyLimits,
): NonNullable<Dispatcher.DispatchOptions['body']> {
  const body = { [Symbol.asyncIterator]: () => pieces(req, res, count, limits) };
  // undici takes async iterables ("body must be a string, …, an iterable, or an async iterable"); its types do not say so.
  return body as unknown as Buffer;
}

async function* pieces(
  req: IncomingMessage,
  res: ServerResponse,
  count: BodyCount,
  { bytesMax, heard }: BodyLimits,
): AsyncGenerator<Buffer> {
  askForBody(req, res);
  for await (const piece of req.iterator({ destroyOnReturn: false })) {
    // A request without an encoding gives buffers.
    const chunk = piece as Buffer;
    if (count.bytes > 0) await heard();
    count.bytes += chunk.length;
    if (count.bytes > bytesMax) throw new BodyTooLarge(bytesMax);
    yield chunk;
  }
  count.ended = true;
}
