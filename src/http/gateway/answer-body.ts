/** The body of an answer on its way to the client: held until the head may go out, then as fast as the client reads. */

import type { Response } from 'express';
import { pairs } from '../../lib/header-list.js';
import { requestIdOf } from '../request-id.js';
import { type AnswerHead, billedFields } from './answer-head.js';

/** So much waits in memory at least before the upstream does. */
const heldBytesMax = 64 * 1024;

/** Stops the upstream, and lets it go on. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** Writes the head, with the fields that tell of the bill, in one go: Node takes several times as long when some are set before. */
export function writeAnswerHead(res: Response, head: AnswerHead, bill: readonly string[]): void {
  const { status, statusText } = head;
  const fields = ['X-Request-Id', requestIdOf(res), ...billedFields(head, bill)];
  if (res.getHeaderNames().length === 0) {
    res.writeHead(status, statusText, fields);
    return;
  }
  // Beside fields that are set, `writeHead` would keep one of several with one name.
  for (const [name, value] of pairs(fields)) res.appendHeader(name, value);
  res.writeHead(status, statusText);
}

/** One body. */
export class AnswerBody {
  readonly #res: Response;
  readonly #flow: Flow;
  readonly #stallMs: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #draining = false;

  /** A client that takes nothing for `stallMs` is taken for gone. */
  constructor(res: Response, flow: Flow, stallMs: number) {
    this.#res = res;
    this.#flow = flow;
    this.#stallMs = stallMs;
  }

  /** Keeps a piece. Beyond `bytesMax`, and what is kept anyway, the upstream waits. */
  hold(chunk: Buffer, bytesMax: number): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > Math.max(heldBytesMax, bytesMax)) this.#flow.pause();
  }

  /** Lets out what was held; from here on the upstream goes on. */
  release(): void {
    if (this.#held.length === 0) this.#res.flushHeaders();
    for (const chunk of this.#held.splice(0)) this.write(chunk);
    if (!this.#draining) this.#flow.resume();
  }

  /** Throws away what was held: there is nobody to have it, or to be waited for. */
  drop(): void {
    this.#held = [];
    this.#draining = false;
  }

  write(chunk: Buffer): void {
    if (this.#res.write(chunk) || this.#draining) return;
    this.#draining = true;
    this.#flow.pause();
    // Node ends a connection that times out, and nobody listens to it.
    this.#res.setTimeout(this.#stallMs);
    this.#res.once('drain', () => {
      this.#draining = false;
      this.#res.setTimeout(0);
      this.#flow.resume();
    });
  }

  /** Calls `then` once the client has taken what was written, as far as it had to be waited for. */
  whenTaken(then: () => void): void {
    if (this.#draining) this.#res.once('drain', then);
    else then();
  }

  /** Ends the answer with what was held and these trailers. `done` is called when all of it is on its way. */
  end(trailers: readonly string[], done: () => void): void {
    const last = this.#held.pop();
    for (const chunk of this.#held.splice(0)) this.write(chunk);
    // Node leaves out what a body of a known length cannot have.
    if (trailers.length > 0) this.#res.addTrailers(pairs(trailers));
    // As text it is joined to the head, which costs less than writing it apart.
    if (last && last.length <= heldBytesMax) this.#res.end(last.toString('latin1'), 'latin1', done);
    else this.#res.end(last, done);
    if (this.#res.writableLength > 0) this.#watchRest();
  }

  /** The rest of the answer waits for the client. It is not to wait for ever, nor is what comes next on the connection to be hurried. */
  #watchRest(): void {
    this.#res.setTimeout(this.#stallMs);
    // Node lets go of the connection as it hears of this.
    this.#res.prependOnceListener('finish', () => this.#res.setTimeout(0));
  }
}
