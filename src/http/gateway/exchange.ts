/** One call through the gateway: the request to the upstream, the answer back, streaming both ways. */

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Response } from 'express';
import type { Dispatcher } from 'undici';
import { discardRest } from '../discard-rest.js';
import { AnswerBody, writeAnswerHead } from './answer-body.js';
import { type AnswerHead, answerHead, answerTrailers } from './answer-head.js';
import { AnsweredBefore, type CallEnd, type CallMeter } from './call-meter.js';
import { isUpstreamsFault, sendFailure } from './failure.js';
import { inform } from './inform.js';
import { type Passage, Sender } from './sender.js';
import { openTunnel, upgradeHead } from './tunnel.js';
import type { Upstreams } from './upstreams.js';

/** What an exchange works with. */
export interface ExchangeDeps {
  upstreams: Upstreams;
  meter: CallMeter;
  /** How long a client may take nothing of its answer, and a connection that was handed over may be silent. */
  stallMs: number;
  /** Told why the upstream's answer is missing, or not whole. */
  failed(how: 'unanswered' | 'broken-off', error: Error): void;
}

/**
 * `asked`: no head has come. `held`: the head waits until its usage is on disk. `open`: the client gets what comes.
 * `ending`: all of it has been handed over. `over`: nothing more happens.
 */
type State = 'asked' | 'held' | 'open' | 'ending' | 'over';

/** Hears from undici what the upstream does, and from Node what the client does. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #req: IncomingMessage;
  readonly #res: Response;
  readonly #deps: ExchangeDeps;
  readonly #sender: Sender;
  readonly #meter: CallMeter;
  readonly #body: AnswerBody;
  /** Set once the request is on its way. */
  #controller: Dispatcher.DispatchController | undefined;
  #state: State = 'asked';
  #clientGone = false;
  /** Set once the whole answer is here. */
  #trailers: string[] | undefined;
  /** Set where the rest will never come, while the head waits. */
  #broken: Error | undefined;
  #decided: () => void = () => undefined;

  constructor({ req, res }: { req: IncomingMessage; res: Response }, passage: Passage, deps: ExchangeDeps) {
    this.#req = req;
    this.#res = res;
    this.#deps = deps;
    this.#sender = new Sender({ req, res }, passage, deps.upstreams);
    this.#meter = deps.meter;
    const flow = { pause: () => this.#controller?.pause(), resume: () => this.#controller?.resume() };
    this.#body = new AnswerBody(res, flow, deps.stallMs);
  }

  /** Sends the request. Resolves once it is decided what the client is told, as far as it is told anything. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#decided = resolve;
      if (this.#res.destroyed) return this.#end('client-gone'); // While the call waited to be let in.
      this.#res.once('close', () => this.#onClientClose());
      const tooLarge = this.#sender.tooLarge();
      if (tooLarge) this.#fail(tooLarge);
      else this.#dispatch();
    });
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
    const head = answerHead(this.#req, status, statusText, controller.rawHeaders as Buffer[]);
    if (status < 200) return this.#clientGone || inform(this.#req, this.#res, head);
    // It has no body, whatever length it tells (RFC 9110 8.6), which undici takes for one that broke off.
    if (status === 304) this.#trailers = [];
    this.#state = 'held';
    this.#answer(head).catch((error: unknown) => this.#breakOff(error));
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    upstream: Duplex,
  ) {
    this.#state = 'held';
    this.#sender.sent.ended = false;
    const raw = controller.rawHeaders as Buffer[]; // As above.
    const head = answerHead(this.#req, status, 'Switching Protocols', raw);
    this.#handOver(head, upstream).catch((error: unknown) => {
      upstream.destroy();
      this.#breakOff(error);
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer) {
    if (this.#meter.isUsedUp && this.#state === 'open') return controller.abort(new Error('used up'));
    this.#meter.data(chunk);
    if (this.#clientGone) return;
    if (this.#state === 'open') this.#body.write(chunk);
    else this.#body.hold(chunk, this.#meter.holdBytesMax);
  }

  onResponseEnd(controller: Dispatcher.DispatchController) {
    this.#trailers = answerTrailers(controller.rawTrailers as Buffer[]);
    if (this.#state === 'open') this.#body.whenTaken(() => this.#finish());
    // The head may wait for that.
    else this.#meter.answered();
  }

  onResponseError(_controller: unknown, error: Error) {
    if (this.#state === 'over') return;
    if (this.#trailers) return void this.#meter.answered();
    if (this.#state === 'asked') {
      const again = this.#sender.maySendAgain(error, this.#controller !== undefined);
      return again && !this.#clientGone ? this.#dispatch() : this.#fail(error);
    }
    // What is being billed goes out as far as it came.
    if (this.#state === 'held' && this.#meter.isBilled) this.#broken = error;
    else this.#breakOff(error);
  }

  /** Waits until the answer's usage is on disk, then lets its head out. */
  async #answer(head: AnswerHead): Promise<void> {
    const bill = await this.#billed(head);
    if (!bill || this.#state !== 'held') return;
    this.#state = 'open';
    if (this.#clientGone) return this.#broken ? this.#breakOff(this.#broken) : this.#onClientClose();
    discardRest(this.#req, this.#res);
    writeAnswerHead(this.#res, head, bill);
    this.#decided();
    if (this.#trailers) return this.#finish();
    this.#body.release();
    if (this.#broken) this.#breakOff(this.#broken);
  }

  /** Waits as `#answer` does, then joins both connections, unless the client's is gone. */
  async #handOver(head: AnswerHead, upstream: Duplex): Promise<void> {
    upstream.on('error', () => upstream.destroy());
    const bill = await this.#billed(head);
    if (this.#clientGone) this.#end('client-gone');
    if (!bill || this.#state !== 'held') return void upstream.destroy();
    const client = this.#req.socket;
    this.#res.detachSocket(client);
    client.write(upgradeHead(head, bill, this.#res), 'latin1');
    this.#state = 'ending';
    this.#decided();
    const sent = (bytes: number) => {
      this.#sender.sent.bytes += bytes;
    };
    const isWebSocket = /^websocket$/i.test(head.upgrade ?? '');
    const count = { meter: this.#meter, sent, isWebSocket };
    openTunnel({ client, upstream }, count, this.#deps.stallMs, (how) => this.#end(how));
  }

  /** The fields that tell of the bill. Without them the client has been told that the answer cannot be given. */
  async #billed(head: AnswerHead): Promise<string[] | undefined> {
    try {
      return await this.#meter.head(head, this.#sender.sent);
    } catch (error) {
      if (this.#state !== 'over') {
        this.#fail(error);
        this.#controller?.abort(new Error('the answer cannot be given'));
      }
      return undefined;
    }
  }

  /** All of the answer is here. Its end goes out as its head did: when what is owed for it is on disk. */
  #finish() {
    if (this.#clientGone) return this.#end('complete');
    const end = (fields: string[]) => {
      if (this.#state !== 'open') return;
      this.#state = 'ending';
      this.#body.end([...(this.#trailers ?? []), ...fields], () => this.#end('complete'));
    };
    const bill = this.#meter.answered();
    if (bill instanceof Promise) void bill.then(end);
    else end(bill);
  }

  /** The client hung up, and the upstream goes on to its end. */
  #goOnAlone() {
    this.#body.drop();
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

  /** Nothing more comes behind the head. What is billed by then was answered, but the client must see that it is not whole. */
  #breakOff(error: unknown) {
    if (this.#state === 'over') return;
    if (!this.#meter.isBilled && !this.#res.headersSent) return this.#fail(error);
    if (isUpstreamsFault(error) && !this.#meter.isUsedUp) this.#deps.failed('broken-off', error);
    this.#end('upstream-gone');
    // What came before is let out.
    if (this.#res.socket) this.#res.socket.destroySoon();
    else this.#res.destroy();
  }

  #fail(error: unknown) {
    if (this.#state === 'over') return;
    if (error instanceof AnsweredBefore) {
      error.answer().catch((problem: unknown) => sendFailure(this.#req, this.#res, problem));
    } else if (!this.#clientGone) {
      sendFailure(this.#req, this.#res, error);
      // Before that nothing was sent, which is told where it is noted that the upstream is down.
      const begun = this.#controller !== undefined && !this.#req.errored;
      if (begun && isUpstreamsFault(error)) this.#deps.failed('unanswered', error);
    }
    this.#end('upstream-gone');
  }

  #end(how: CallEnd) {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#meter.end(how);
    this.#decided();
  }
}
