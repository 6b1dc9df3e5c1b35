/** A call with an Idempotency-Key through the gateway: its answer is kept with its usage, in one commit. */

import { type Answer, answerBytesMax, answerNotKept } from '../../domain/answer.js';
import { pairs } from '../../lib/header-list.js';
import { isEventStream } from '../../metering/event-stream.js';
import type { RequestSigns } from '../../metering/tally.js';
import type { AnswerHead } from './answer-head.js';
import type { CallEnd, CallMeter } from './call-meter.js';

/** Whether an answer is made to be read as it comes, so that its head cannot wait for its end. */
export function isStream({ upgraded, contentType }: AnswerHead): boolean {
  return upgraded || isEventStream(contentType);
}

/**
 * Holds the answer back until all of it is here, or more than is kept, and only then lets it be billed. The upstream goes on
 * without its client: whoever lost the connection asks again under the same key, and gets the answer without a second run.
 * A stream passes as it comes and ends as it would without a key; it is kept where it came to its end.
 */
export class KeptCall implements CallMeter {
  readonly holdBytesMax: number;
  readonly #inner: CallMeter;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #tooLarge = false;
  #streams = false;
  #isComplete = false;
  #kept: Omit<Answer, 'body'> | undefined;
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
    if (!this.#kept) return answerNotKept;
    const isHere = !this.#tooLarge && (this.#isComplete || !this.#streams);
    return { ...this.#kept, body: isHere ? Buffer.concat(this.#chunks) : null };
  }

  async head(answer: AnswerHead, request: RequestSigns): Promise<string[]> {
    this.#streams = isStream(answer);
    if (!this.#streams) await this.#untilWhole;
    this.#kept = { status: answer.status, headers: keptHeaders(answer) };
    // Messages are no answer that could be given once more.
    if (answer.upgraded) this.#drop();
    return this.#inner.head(answer, request);
  }

  data(chunk: Uint8Array): void {
    this.#inner.data(chunk);
    if (this.#tooLarge) return;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    if (this.#bytes > answerBytesMax) this.#drop();
  }

  message(from: 'client' | 'upstream'): void {
    this.#inner.message(from);
  }

  answered(): string[] | Promise<string[]> {
    this.#isComplete = true;
    this.#whole();
    return this.#inner.answered();
  }

  end(how: CallEnd): void {
    this.#inner.end(how);
    this.#whole();
  }

  /** The answer is not kept, and nothing waits for its end. */
  #drop(): void {
    this.#tooLarge = true;
    this.#chunks = [];
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
