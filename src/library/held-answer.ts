/** An answer of `node:http` whose head waits until its usage is on disk. Handlers write it as they always do. */

import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { sendRefusal } from '../http/problem.js';
import { pairs } from '../lib/header-list.js';
import type { Log } from '../lib/host.js';
import { type Callback, type Piece, pieceOf, setHeaders, textsOf } from './answer-pieces.js';
import { type Call, refusalFor } from './call.js';

/** What holding answers needs. */
export interface AnswerDeps {
  host: { log: Log };
  metrics: { countCall(outcome: string): void };
}

/** So much of an answer waits in memory; then its handler is told to wait for `drain`. */
const heldBytesMax = 64 * 1024;

/**
 * `idle`: the handler has written nothing. `held`: it has, and the head waits. `open`: what is written goes out. `refused`:
 * the client got another answer, and what is written goes nowhere.
 */
type State = 'idle' | 'held' | 'open' | 'refused';

/** Stands before the methods of one answer. */
export class HeldAnswer {
  readonly #deps: AnswerDeps;
  readonly #call: Call;
  readonly #res: ServerResponse;
  readonly #below: Pick<ServerResponse, 'write' | 'end' | 'writeHead' | 'flushHeaders'>;
  /** What was there before the handler. */
  readonly #headers: OutgoingHttpHeaders;
  #state: State = 'idle';
  #pieces: Piece[] = [];
  #heldBytes = 0;
  /** Set once the handler has ended the answer; what it wants to hear of that. */
  #ended: { done: Callback | undefined } | undefined;
  #clientGone = false;

  constructor(deps: AnswerDeps, call: Call, res: ServerResponse) {
    this.#deps = deps;
    this.#call = call;
    this.#res = res;
    this.#headers = res.getHeaders();
    // Other middleware may have put itself before these already.
    const { write, end, writeHead, flushHeaders } = res;
    this.#below = {
      write: write.bind(res),
      end: end.bind(res),
      writeHead: writeHead.bind(res),
      flushHeaders: flushHeaders.bind(res),
    };
  }

  /** From here on the answer waits for its bill. */
  hold(): void {
    const res = this.#res;
    for (const [name, value] of pairs(this.#call.fields)) res.setHeader(name, value);
    Object.defineProperty(res, 'headersSent', { configurable: true, get: () => this.#state !== 'idle' });
    // Each has several signatures; what is taken here is what all of them come to.
    res.writeHead = ((status: number, ...rest: unknown[]) =>
      this.#writeHead(status, rest)) as typeof res.writeHead;
    res.write = ((...args: unknown[]) => this.#write(pieceOf(args))) as typeof res.write;
    res.end = ((...args: unknown[]) => this.#end(args)) as typeof res.end;
    res.flushHeaders = () => this.#begin();
    this.#call.whenUsedUp(() => this.#cutIfUsedUp());
    res.once('finish', () => this.#call.end('complete'));
    res.once('close', () => this.#onClose());
  }

  /** Keeps what it is given; the head is written with the rest of it. */
  #writeHead(status: number, rest: unknown[]): ServerResponse {
    const res = this.#res;
    if (this.#state === 'open') {
      this.#below.writeHead(status);
      return res;
    }
    if (this.#state !== 'idle') return res;
    const [first, second] = rest;
    res.statusCode = status;
    if (typeof first === 'string') res.statusMessage = first;
    setHeaders(res, typeof first === 'string' ? second : first);
    return res;
  }

  #write(piece: Piece): boolean {
    if (this.#state === 'refused' || this.#ended) {
      piece.done?.(new Error('the answer has ended'));
      return false;
    }
    this.#call.data(piece.bytes);
    if (this.#state === 'open' && !this.#goesOnAlone) {
      return !this.#cutIfUsedUp() && this.#below.write(piece.bytes, piece.done);
    }
    this.#keep(piece);
    return this.#heldBytes <= Math.max(heldBytesMax, this.#call.holdBytesMax);
  }

  #end(args: unknown[]): ServerResponse {
    const res = this.#res;
    const piece = pieceOf(args);
    if (this.#state === 'refused' || this.#ended) {
      piece.done?.();
      return res;
    }
    if (piece.bytes.length > 0) this.#call.data(piece.bytes);
    this.#ended = { done: piece.done };
    if (piece.bytes.length > 0) this.#keep({ bytes: piece.bytes, done: undefined });
    if (this.#state === 'open') this.#finish();
    else if (this.#state === 'held') this.#call.answered();
    else this.#begin();
    return res;
  }

  #keep(piece: Piece): void {
    if (this.#goesOnAlone) {
      piece.done?.();
      return;
    }
    this.#pieces.push(piece);
    this.#heldBytes += piece.bytes.length;
    if (!this.#ended) this.#begin();
  }

  /** Whether nobody gets what the handler writes. */
  get #goesOnAlone(): boolean {
    return this.#clientGone && this.#call.outlivesClient;
  }

  /** The handler has begun to answer: asks for the bill. */
  #begin(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'held';
    void this.#bill();
  }

  async #bill(): Promise<void> {
    const res = this.#res;
    const unitsSaid = textsOf(res.getHeader('Meterctl-Units'));
    res.removeHeader('Meterctl-Units');
    const head = {
      status: res.statusCode,
      unitsSaid,
      contentType: textsOf(res.getHeader('Content-Type'))[0],
      contentEncoding: textsOf(res.getHeader('Content-Encoding'))[0],
    };
    try {
      const fields = await this.#call.head(head, this.#ended !== undefined);
      this.#deps.metrics.countCall(head.status < 400 ? 'ok' : 'upstream_error');
      for (const [name, value] of pairs(fields)) res.setHeader(name, value);
      res.statusCode = head.status;
      this.#state = 'open';
      this.#release();
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Lets out what was written while the head waited. */
  #release(): void {
    if (this.#clientGone && !this.#call.outlivesClient) return;
    if (this.#ended) {
      this.#finish();
      return;
    }
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#heldBytes = 0;
    let hasRoom = true;
    if (!this.#clientGone) {
      for (const { bytes, done } of pieces) hasRoom = this.#below.write(bytes, done);
      if (pieces.length === 0) this.#below.flushHeaders();
    }
    if (!this.#cutIfUsedUp() && hasRoom) this.#res.emit('drain');
  }

  /** Nothing goes out behind the units that the limits leave; the client sees that the answer is not whole. */
  #cutIfUsedUp(): boolean {
    if (!this.#call.isUsedUp || this.#state !== 'open') return false;
    this.#call.end('upstream-gone');
    this.#res.destroy();
    return true;
  }

  /** All of the answer is here. Its end goes out as its head did: when what is owed for it is on disk. */
  #finish(): void {
    const bill = this.#call.answered();
    // Node may refuse to write what the handler has said, and there is nobody left to be told.
    if (bill instanceof Promise) bill.then((fields) => this.#letEnd(fields)).catch(() => this.#res.destroy());
    else this.#letEnd(bill);
  }

  /** A single piece goes out with the head, under a `Content-Length`, as Node does it. */
  #letEnd(trailers: string[]): void {
    const done = this.#ended?.done;
    const pieces = this.#pieces;
    this.#pieces = [];
    if (this.#goesOnAlone) {
      done?.();
      this.#call.end('complete');
      return;
    }
    const last = pieces.pop();
    for (const piece of pieces) this.#below.write(piece.bytes, piece.done);
    if (trailers.length > 0) this.#res.addTrailers(pairs(trailers));
    if (last) this.#below.end(last.bytes, () => done?.());
    else this.#below.end(() => done?.());
  }

  /** The answer cannot be billed, so the client does not get it. */
  #refuse(error: unknown): void {
    const res = this.#res;
    this.#pieces = [];
    this.#call.end('upstream-gone');
    if (res.destroyed) {
      this.#state = 'refused';
      return;
    }
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    setHeaders(res, this.#headers);
    res.statusMessage = '';
    this.#state = 'open';
    const { write, end } = res;
    Object.assign(res, this.#below);
    const refusal = refusalFor(error);
    if (refusal.refused === 'internal') {
      this.#deps.host.log.error('a call failed because of a defect', { error });
    }
    this.#deps.metrics.countCall(refusal.refused);
    sendRefusal(res, refusal);
    Object.assign(res, { write, end });
    this.#state = 'refused';
  }

  #onClose(): void {
    this.#clientGone = !this.#res.writableFinished;
    if (!this.#clientGone) this.#call.end('complete');
    else if (!this.#call.outlivesClient) this.#call.end('client-gone');
    else if (this.#ended) {
      // What is still held is over when its bill is there.
      if (this.#state === 'open') this.#call.end('complete');
    } else {
      void this.#call.goOnAlone();
      // Nobody reads any more, so the handler need not wait.
      this.#res.emit('drain');
    }
  }
}
