/** Sends one request to an upstream, and to another where that is safe. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { type BodyCount, BodyTooLarge, lazyBody } from './body.js';
import { hasBody } from './request-head.js';
import type { Upstream, Upstreams } from './upstreams.js';

/** What is sent. */
export interface Passage {
  target: string;
  /** Names and values in turn. */
  headers: string[];
  requestBytesMax: number;
  /** The body, where it has been read already. */
  body: Buffer | undefined;
  /** The protocol that the client asks to go on with. */
  upgrade: string | undefined;
}

/** Repeating these does nothing that doing them once does not (RFC 9110 9.2.2). */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** How a connection ends that the upstream closed just as it was being used again. */
const closedCodes: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** One request on its way. */
export class Sender {
  /** How much of the body has been passed on. */
  readonly sent: BodyCount;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #passage: Passage;
  readonly #upstreams: Upstreams;
  readonly #tried: Upstream[] = [];
  readonly #hasBody: boolean;
  #upstream: Upstream | undefined;
  #repeated = false;

  constructor(
    { req, res }: { req: IncomingMessage; res: ServerResponse },
    passage: Passage,
    upstreams: Upstreams,
  ) {
    this.#req = req;
    this.#res = res;
    this.#passage = passage;
    this.#upstreams = upstreams;
    this.#hasBody = passage.body === undefined && hasBody(req);
    this.sent = { bytes: passage.body?.length ?? 0, ended: !this.#hasBody };
  }

  /** Why the body may not be sent, where its length tells that. */
  tooLarge(): BodyTooLarge | undefined {
    const { body, requestBytesMax } = this.#passage;
    const length = body?.length ?? Number(this.#req.headers['content-length'] ?? 0);
    return length > requestBytesMax ? new BodyTooLarge(requestBytesMax) : undefined;
  }

  /** Sends to the upstream whose turn it is. False when none is left. */
  send(handler: Dispatcher.DispatchHandler): boolean {
    this.#upstream = this.#upstreams.choose(this.#tried);
    if (!this.#upstream) return false;
    const { target, headers, requestBytesMax, body, upgrade = null } = this.#passage;
    const limits = { bytesMax: requestBytesMax, heard: this.#upstreams.heard };
    const lazy = this.#hasBody ? lazyBody(this.#req, this.#res, this.sent, limits) : null;
    const method = this.#req.method ?? 'GET';
    const request = { method, path: target, headers, body: body ?? lazy, upgrade };
    this.#upstream.dispatch(request, handler, this.#repeated);
    return true;
  }

  /** The request is being written. */
  begun(): void {
    this.#upstream?.noteUp();
  }

  /** It failed before an answer came. Whether it may be sent once more, to another or over a new connection. */
  maySendAgain(error: Error, begun: boolean): boolean {
    if (!begun) {
      // Nothing was sent, so nothing was done: another may have the request, whatever its method.
      if (this.#upstream) this.#tried.push(this.#upstream);
      this.#upstream?.noteDown(error);
      return true;
    }
    const code = 'code' in error ? String(error.code) : '';
    const again = !this.#repeated && !this.#hasBody && closedCodes.has(code);
    this.#repeated = true;
    return again && idempotent.has(this.#req.method ?? '');
  }
}
