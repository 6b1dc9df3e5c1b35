/** What a call through the gateway tells whoever bills it, and what it waits for. */

import type { RequestSigns } from '../../metering/tally.js';
import type { Refusal } from '../problem.js';
import type { AnswerHead } from './answer-head.js';

/** How a call was over: the client has all of the answer, or one of the two sides broke off before. */
export type CallEnd = 'complete' | 'client-gone' | 'upstream-gone';

/** Another process has carried out the same call, and has billed it: its answer is the one that counts. */
export class AnsweredBefore extends Error {
  /** Gives the client that answer. */
  readonly answer: () => Promise<void>;

  constructor(answer: () => Promise<void>) {
    super('another process has answered the same call');
    this.name = 'AnsweredBefore';
    this.answer = answer;
  }
}

/** No limit has room for what the call turned out to cost: its answer is not given, and nothing is billed. */
export class RefusedCall extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.name = 'RefusedCall';
    this.refusal = refusal;
  }
}

/** Throws what is no refusal of the call. */
export function unlessRefused(error: unknown): void {
  if (!(error instanceof RefusedCall)) throw error;
}

/** Bills one call. */
export interface CallMeter {
  /** Whether the upstream goes on to its end without the client. */
  readonly outlivesClient: boolean;
  /** So much of the answer must be kept in memory before `head` can tell. */
  readonly holdBytesMax: number;
  /** Whether something was, or is being, written for the call. */
  readonly isBilled: boolean;
  /** Whether the call has used up a limit: what has come goes out, and nothing more. */
  readonly isUsedUp: boolean;
  /**
   * Resolves once the head may go out, with the fields to add to it: names and values in turn. Rejects with `unavailable`
   * when the usage cannot be written, with `RefusedCall` when a limit has no room for it. The request may still be under way: `request` follows it.
   */
  head(answer: AnswerHead, request: RequestSigns): Promise<string[]>;
  /** A piece of the answer's body came from the upstream. */
  data(chunk: Uint8Array): void;
  /** A WebSocket message passed. */
  message(from: 'client' | 'upstream'): void;
  /**
   * All of the answer came from the upstream. Gives the fields to add to its trailers; a promise where the units are known
   * only now, which resolves once they are on disk: the client must not see the end before. May be called again.
   */
  answered(): string[] | Promise<string[]>;
  /** Called once, whatever happens. */
  end(how: CallEnd): void;
}

/** Bills nothing. */
export const freeOfCharge: CallMeter = {
  outlivesClient: false,
  holdBytesMax: 0,
  isBilled: false,
  isUsedUp: false,
  head: async () => [],
  data: () => undefined,
  message: () => undefined,
  answered: () => [],
  end: () => undefined,
};
