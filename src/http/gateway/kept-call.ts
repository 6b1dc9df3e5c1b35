/** A call with an Idempotency-Key through the gateway: its answer is kept with its usage, in one commit. */

import { type Answer, answerBytesMax, answerNotKept } from '../../domain/answer.js';
import { pairs } from '../../lib/header-list.js';
import type { RequestSigns } from '../../metering/tally.js';
import type { AnswerHead } from './answer-head.js';
import type { CallEnd, CallMeter } from './call-meter.js';

/**
 * Holds the answer back until all of it is here, or more than is kept, and only then lets it be billed. The upstream goes on
 * without its client: whoever lost the connection asks again under the same key, and gets the answer without a second run.
 * What is made to be read as it comes has no end to wait for, and is not kept: it ends as it would without a key.
 */
export class KeptCall implements CallMeter {
  readonly holdBytesMax: number;
  readonly #inner: CallMeter;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #tooLarge = false;
  #streams = false;
  #kept: Answer | undefined;
  #whole: () => void = () => undefined;
  readonly #untilWhole: Promise<void>;

  constructor(inner: CallMeter) {
    this.#inner = inner;
    this.holdBytesMax = Math.max(inner.holdBytesMax, answerBytesMax);
    this.#untilWhole = new Promise((resolve) => {
      this.#whole = resolve;
    });
  }

  get outlivesClient(): boolean {
    return !this.#streams || this.#inner.outlivesClient;
  }

  get isBilled(): boolean {
    return this.#inner.isBilled;
  }

  get isUsedUp(): boolean {
    return this.#inner.isUsedUp;
  }

  /** What the ledger keeps; there is nothing to keep before the call is billed. */
  answer(): Answer {
    return this.#kept ?? answerNotKept;
  }

  async head(answer: AnswerHead, request: RequestSigns): Promise<string[]> {
    this.#streams = answer.upgraded || /^text\/event-stream\b/i.test(answer.contentType ?? '');
    if (!this.#streams) await this.#untilWhole;
    const fits = !this.#streams && !this.#tooLarge;
    const headers = keptHeaders(answer);
    this.#kept = { status: answer.status, headers, body: fits ? Buffer.concat(this.#chunks) : null };
    this.#chunks = [];
    return this.#inner.head(answer, request);
  }

  data(chunk: Uint8Array): void {
    this.#inner.data(chunk);
    if (this.#kept || this.#tooLarge) return;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    if (this.#bytes <= answerBytesMax) return;
    this.#tooLarge = true;
    this.#chunks = [];
    this.#whole();
  }

  message(from: 'client' | 'upstream'): void {
    this.#inner.message(from);
  }

  answered(): string[] | Promise<string[]> {
    this.#whole();
    return this.#inner.answered();
  }

  end(how: CallEnd): void {
    this.#inner.end(how);
    this.#whole();
  }
}

/** Fields by name; the length is that of the body that is kept, and no trailers follow it. */
function keptHeaders(answer: AnswerHead): Answer['headers'] {
  const headers: Answer['headers'] = {};
  for (const [field, value] of pairs(answer.headers)) {
    const name = field.toLowerCase();
    const before = headers[name];
    if (name !== 'content-length' && name !== 'trailer')
      headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
