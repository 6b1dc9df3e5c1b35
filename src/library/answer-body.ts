/** The body of a `Response` on its way to whoever reads it, counted as it passes. */

import type { Clock } from '../lib/host.js';
import type { Call } from './call.js';

/** So much of an answer is looked at before its head; a larger one is streamed. */
const lookBytesMax = 64 * 1024;

type Read = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>>;

/** One body. */
export class AnswerBody {
  readonly #call: Call;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** What has been read, and not been passed on. */
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** What was asked for and has not come yet. */
  #next: Promise<Read> | undefined;
  #isWhole = false;
  #isAbandoned = false;

  constructor(call: Call, body: ReadableStream<Uint8Array> | null) {
    this.#call = call;
    this.#reader = body?.getReader();
  }

  /**
   * Reads what is there already, and tells whether that is all: then no word about its units can follow. Where the units
   * stand in the body, it is read as far as they are looked for.
   */
  async look(clock: Clock): Promise<boolean> {
    const { holdBytesMax } = this.#call;
    const soon = new Promise<undefined>((resolve) => clock.soon(() => resolve(undefined)));
    this.#isWhole = this.#reader === undefined;
    while (!this.#isWhole && this.#bytes <= Math.max(lookBytesMax, holdBytesMax)) {
      this.#next ??= this.#read();
      const read = await (holdBytesMax > 0 ? this.#next : Promise.race([this.#next, soon]));
      if (read === undefined) break;
      this.#next = undefined;
      this.#isWhole = read.done;
      if (read.value) this.#note(read.value);
    }
    return this.#isWhole;
  }

  /** What the client reads. The call ends with it. */
  rest(): ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null {
    if (this.#reader === undefined || this.#isWhole) {
      this.#call.end('complete');
      return this.#reader === undefined ? null : Buffer.concat(this.#pieces);
    }
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) => this.#pull(controller),
        cancel: (reason) => this.abandon(reason),
      },
      { highWaterMark: 0 },
    );
  }

  /** Nobody gets it. A stream that fails, or has failed, while it is given up is no news to anybody. */
  async discard(reason?: unknown): Promise<void> {
    await this.#reader?.cancel(reason).catch(() => undefined);
  }

  /** A HEAD request has its head, and that is all of the answer. */
  async leave(): Promise<void> {
    this.#call.end('complete');
    await this.discard();
  }

  /** Its reader is gone. The handler goes on where all of it is owed. */
  async abandon(reason: unknown): Promise<void> {
    if (this.#isWhole || this.#isAbandoned) return;
    this.#isAbandoned = true;
    if (!this.#call.outlivesClient) {
      this.#call.end('client-gone');
      await this.discard(reason);
      return;
    }
    void this.#call.goOnAlone();
    void this.#goOn();
  }

  #note(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#call.data(piece);
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      if (this.#pieces.length === 0) {
        if (this.#call.isUsedUp) throw new Error('The limits leave no more units.');
        await this.#more();
      }
      const piece = this.#pieces.shift();
      if (piece) controller.enqueue(piece);
      else if (this.#isWhole) controller.close();
    } catch (error) {
      this.#call.end('upstream-gone');
      controller.error(error);
      void this.discard();
    }
  }

  /** Waits for another piece, or the end. */
  async #more(): Promise<void> {
    const read = await (this.#next ?? this.#read());
    this.#next = undefined;
    if (read.value) this.#note(read.value);
    if (!read.done) return;
    this.#isWhole = true;
    await this.#call.answered();
    this.#call.end('complete');
  }

  #read(): Promise<Read> {
    return this.#reader?.read() ?? Promise.resolve({ done: true, value: undefined });
  }

  async #goOn(): Promise<void> {
    try {
      while (!this.#isWhole) {
        this.#pieces = [];
        await this.#more();
      }
    } catch {
      this.#call.end('upstream-gone');
    }
  }
}
