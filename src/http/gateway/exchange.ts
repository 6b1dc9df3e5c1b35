/** One call through the gateway: the request to the upstream, the answer back, streaming both ways. */

import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';
import type { Dispatcher } from 'undici';
import { type AnswerHead, answerHead, pairs } from './answer-head.js';
import { type BodyCount, BodyTooLarge, lazyBody } from './body.js';
import type { CallEnd, CallMeter } from './call-meter.js';
import { mayRepeat, sendFailure } from './failure.js';
import { hasBody } from './request-head.js';
import type { Upstream, Upstreams } from './upstreams.js';

/** What is sent. */
export interface Passage {
  target: string;
  /** Names and values in turn. */
  headers: string[];
  requestBytesMax: number;
}

/** So much of an answer waits in memory while its usage is being written; then the upstream waits. */
const heldBytesMax = 64 * 1024;

/**
 * `asked`: no head has come. `held`: the head waits until its usage is on disk. `open`: the client gets what comes.
 * `ending`: all of it has been handed over. `over`: nothing more happens.
 */
type State = 'asked' | 'held' | 'open' | 'ending' | 'over';

/** Hears from undici what the upstream does, and from Node what the client does. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #req: IncomingMessage;
  readonly #res: Response;
  readonly #passage: Passage;
  readonly #upstreams: Upstreams;
  readonly #meter: CallMeter;
  readonly #tried: Upstream[] = [];
  readonly #sent: BodyCount = { bytes: 0, ended: false };
  #upstream: Upstream | undefined;
  /** Set once the request is on its way. */
  #controller: Dispatcher.DispatchController | undefined;
  #state: State = 'asked';
  #clientGone = false;
  #repeated = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Set once the whole answer is here. */
  #trailers: string[] | undefined;
  #draining = false;

  constructor(
    { req, res }: { req: IncomingMessage; res: Response },
    passage: Passage,
    deps: { upstreams: Upstreams; meter: CallMeter },
  ) {
    this.#req = req;
    this.#res = res;
    this.#passage = passage;
    this.#upstreams = deps.upstreams;
    this.#meter = deps.meter;
    this.#sent.ended = !hasBody(req);
  }

  /** Sends the request. */
  start() {
    this.#res.once('close', () => this.#onClientClose());
    const { requestBytesMax } = this.#passage;
    if (Number(this.#req.headers['content-length'] ?? 0) > requestBytesMax) {
      return this.#fail(new BodyTooLarge(requestBytesMax));
    }
    this.#dispatch();
  }

  #dispatch() {
    const upstream = this.#upstreams.choose(this.#tried);
    if (!upstream) return this.#fail(new Error('no upstream is left'));
    this.#upstream = upstream;
    this.#controller = undefined;
    const { target, headers, requestBytesMax } = this.#passage;
    const body = hasBody(this.#req) ? lazyBody(this.#req, this.#res, this.#sent, requestBytesMax) : null;
    upstream.dispatch({ method: this.#req.method ?? 'GET', path: target, headers, body }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
    this.#upstream?.noteUp();
    if (this.#state === 'over') controller.abort(new Error('the client is gone'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText = '',
  ) {
    // Over HTTP/1.1, which is all that is spoken here, undici gives the fields as they came: a list of buffers.
    const head = answerHead(status, statusText, controller.rawHeaders as Buffer[]);
    if (status < 200) return this.#inform(head);
    this.#state = 'held';
    void this.#answer(head);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer) {
    this.#meter.data(chunk);
    if (this.#clientGone) return;
    if (this.#state === 'open') return this.#write(chunk);
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > Math.max(heldBytesMax, this.#meter.holdBytesMax)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController) {
    this.#trailers = (controller.rawTrailers as Buffer[]).map((part) => part.toString('latin1'));
    this.#trailers.push(...this.#meter.answered());
    if (this.#state === 'open') this.#finish();
  }

  onResponseError(_controller: unknown, error: Error) {
    if (this.#state === 'over') return;
    if (this.#state !== 'asked') {
      // The client must see that the answer is not whole.
      this.#end('upstream-gone');
      return this.#res.destroy();
    }
    if (this.#controller === undefined) {
      // Nothing was sent, so nothing was done: another may have the request, whatever its method.
      if (this.#upstream) this.#tried.push(this.#upstream);
      this.#upstream?.noteDown(error);
      if (!this.#clientGone && this.#upstreams.choose(this.#tried)) return this.#dispatch();
    } else if (!this.#repeated && !this.#clientGone && mayRepeat(this.#req, error)) {
      this.#repeated = true;
      return this.#dispatch();
    }
    this.#fail(error);
  }

  /** Waits until the answer's usage is on disk, then lets its head out. */
  async #answer(head: AnswerHead): Promise<void> {
    try {
      const bill = await this.#meter.head(head, this.#sent, false);
      if (this.#state !== 'held') return;
      this.#state = 'open';
      if (this.#clientGone) return this.#goOnAlone();
      // What the client still sends is for nobody, and must not be taken for its next request.
      if (!this.#req.complete) this.#res.shouldKeepAlive = false;
      this.#res.writeHead(head.status, head.statusText, [...head.headers, ...bill]);
      this.#release();
    } catch (error) {
      if (this.#state === 'over') return;
      this.#controller?.abort(new Error('the answer cannot be given'));
      this.#fail(error);
    }
  }

  /** Lets out what came while the head was held. */
  #release() {
    const held = this.#held;
    this.#held = [];
    const last = this.#trailers ? held.pop() : undefined;
    for (const chunk of held) this.#write(chunk);
    if (this.#trailers) return this.#finish(last);
    if (held.length === 0) this.#res.flushHeaders();
    if (!this.#draining) this.#controller?.resume();
  }

  #write(chunk: Buffer) {
    if (this.#res.write(chunk) || this.#draining) return;
    this.#draining = true;
    this.#controller?.pause();
    this.#res.once('drain', () => {
      this.#draining = false;
      this.#controller?.resume();
    });
  }

  #finish(last?: Buffer) {
    if (this.#clientGone) return this.#end('complete');
    this.#state = 'ending';
    // Node leaves out what a body of a known length cannot have.
    if (this.#trailers?.length) this.#res.addTrailers(pairs(this.#trailers));
    this.#res.end(last, () => this.#end('complete'));
  }

  /** The client hung up, and the upstream goes on to its end. */
  #goOnAlone() {
    this.#held = [];
    if (this.#trailers) this.#finish();
    else this.#controller?.resume();
  }

  /** Interim answers (RFC 9110 15.2); 100 is a matter between us and each side. */
  #inform({ status, headers }: AnswerHead) {
    if (this.#clientGone || this.#req.httpVersion === '1.0') return;
    if (status === 102) this.#res.writeProcessing();
    if (status !== 103) return;
    const link = pairs(headers).flatMap(([name, value]) => (/^link$/i.test(name) ? [value] : []));
    if (link.length > 0) this.#res.writeEarlyHints({ link });
  }

  #onClientClose() {
    if (this.#state === 'over') return;
    this.#clientGone = true;
    if (this.#state === 'ending') return this.#end(this.#meter.outlivesClient ? 'complete' : 'client-gone');
    if (this.#meter.outlivesClient) {
      if (this.#state === 'open') this.#goOnAlone();
      return;
    }
    this.#end('client-gone');
    this.#controller?.abort(new Error('the client is gone'));
  }

  #fail(error: unknown) {
    this.#end('upstream-gone');
    if (!this.#clientGone) sendFailure(this.#req, this.#res, error);
  }

  #end(how: CallEnd) {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#meter.end(how);
  }
}
