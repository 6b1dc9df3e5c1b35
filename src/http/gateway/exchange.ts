/** One call through the gateway: the request to the upstream, the answer back, streaming both ways. */

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Response } from 'express';
import type { Dispatcher } from 'undici';
import { type AnswerHead, answerHead, pairs } from './answer-head.js';
import { BodyTooLarge } from './body.js';
import { AnsweredBefore, type CallEnd, type CallMeter } from './call-meter.js';
import { sendFailure } from './failure.js';
import { inform } from './inform.js';
import { type Passage, Sender } from './sender.js';
import { openTunnel, upgradeHead } from './tunnel.js';
import type { Upstreams } from './upstreams.js';

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
  readonly #sender: Sender;
  readonly #meter: CallMeter;
  /** Set once the request is on its way. */
  #controller: Dispatcher.DispatchController | undefined;
  #state: State = 'asked';
  #clientGone = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Set once the whole answer is here. */
  #trailers: string[] | undefined;
  #draining = false;
  #decided: () => void = () => undefined;

  constructor(
    { req, res }: { req: IncomingMessage; res: Response },
    passage: Passage,
    deps: { upstreams: Upstreams; meter: CallMeter },
  ) {
    this.#req = req;
    this.#res = res;
    this.#passage = passage;
    this.#sender = new Sender({ req, res }, passage, deps.upstreams);
    this.#meter = deps.meter;
  }

  /** Sends the request. Resolves once it is decided what the client is told, as far as it is told anything. */
  start(): Promise<void> {
    this.#send();
    return new Promise((resolve) => {
      this.#decided = resolve;
      if (this.#state === 'over') resolve();
    });
  }

  #send() {
    this.#res.once('close', () => this.#onClientClose());
    const { requestBytesMax } = this.#passage;
    if (Number(this.#req.headers['content-length'] ?? 0) > requestBytesMax) {
      return this.#fail(new BodyTooLarge(requestBytesMax));
    }
    this.#dispatch();
  }

  #dispatch() {
    this.#controller = undefined;
    if (!this.#sender.send(this)) this.#fail(new Error('no upstream is left'));
  }

  onRequestStart(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
    this.#sender.begun();
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
    if (status < 200) return this.#clientGone || inform(this.#req, this.#res, head);
    this.#state = 'held';
    void this.#answer(head);
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    upstream: Duplex,
  ) {
    this.#state = 'held';
    this.#sender.sent.ended = false;
    // As above.
    void this.#handOver(
      answerHead(status, 'Switching Protocols', controller.rawHeaders as Buffer[]),
      upstream,
    );
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
    if (this.#state !== 'asked') return this.#breakOff(error);
    const again = this.#sender.maySendAgain(error, this.#controller !== undefined);
    if (again && !this.#clientGone) return this.#dispatch();
    this.#fail(error);
  }

  /** Waits until the answer's usage is on disk, then lets its head out. */
  async #answer(head: AnswerHead): Promise<void> {
    try {
      const bill = await this.#meter.head(head, this.#sender.sent, false);
      if (this.#state !== 'held') return;
      this.#state = 'open';
      if (this.#clientGone) return this.#goOnAlone();
      // What the client still sends is for nobody, and must not be taken for its next request.
      if (!this.#req.complete) this.#res.shouldKeepAlive = false;
      // Not given to `writeHead`, which would keep one of several fields with one name.
      for (const [name, value] of pairs([...head.headers, ...bill])) this.#res.appendHeader(name, value);
      this.#res.writeHead(head.status, head.statusText);
      this.#decided();
      this.#release();
    } catch (error) {
      if (this.#state === 'over') return;
      this.#controller?.abort(new Error('the answer cannot be given'));
      this.#fail(error);
    }
  }

  /** Waits as `#answer` does, then joins both connections. */
  async #handOver(head: AnswerHead, upstream: Duplex): Promise<void> {
    upstream.on('error', () => upstream.destroy());
    try {
      const bill = await this.#meter.head(head, this.#sender.sent, true);
      if (this.#state !== 'held') return void upstream.destroy();
      const client = this.#req.socket;
      this.#res.detachSocket(client);
      client.write(upgradeHead(head, bill, this.#res), 'latin1');
      this.#state = 'ending';
      this.#decided();
      const sent = (bytes: number) => {
        this.#sender.sent.bytes += bytes;
      };
      const isWebSocket = /^websocket$/i.test(head.upgrade ?? '');
      openTunnel({ client, upstream }, { meter: this.#meter, sent, isWebSocket }, (how) => this.#end(how));
    } catch (error) {
      upstream.destroy();
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
    const done = () => this.#end('complete');
    // As text it is joined to the head, which costs less than writing it apart.
    if (last && last.length <= heldBytesMax) this.#res.end(last.toString('latin1'), 'latin1', done);
    else this.#res.end(last, done);
  }

  /** The client hung up, and the upstream goes on to its end. */
  #goOnAlone() {
    this.#held = [];
    if (this.#trailers) this.#finish();
    else this.#controller?.resume();
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

  /** The upstream is gone behind its head. What is billed by then was answered, but the client must see that it is not whole. */
  #breakOff(error: Error) {
    if (!this.#meter.isBilled && !this.#res.headersSent) return this.#fail(error);
    this.#end('upstream-gone');
    this.#res.destroy();
  }

  #fail(error: unknown) {
    if (this.#state === 'over') return;
    if (error instanceof AnsweredBefore) void error.answer();
    else if (!this.#clientGone) sendFailure(this.#req, this.#res, error);
    this.#end('upstream-gone');
  }

  #end(how: CallEnd) {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#meter.end(how);
    this.#decided();
  }
}
