/** Answers that are kept for calls with an Idempotency-Key, so that a repeat gets the first one. */

import type { RecordedUsage } from './usage.js';

/** For so long a repeat is answered from what was kept. */
export const answerAgeMaxMs = 24 * 3_600_000;

/** Bodies beyond this size are not kept; that they were there is. */
export const answerBytesMax = 64 * 1024;

/** An answer as it went out. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[]>;
  /** `null` for one that was too large to keep. */
  body: Uint8Array | null;
}

/** Of a call that was billed without an answer that could be kept. */
export const answerNotKept: Answer = { status: 0, headers: {}, body: null };

/** A call whose answer is to be kept with its usage, in one commit. */
export interface AnsweredCall {
  idempotencyKey: string;
  /** SHA-256 of the request: the key belongs to this request alone. */
  fingerprint: Uint8Array;
  /** Makes the answer from what was recorded. Called within the commit, so it must be quick and must not fail. */
  answerTo(recorded: RecordedUsage): Answer;
}

/** An answer that was kept. */
export interface KeptAnswer extends Answer {
  fingerprint: Uint8Array;
  /** What the first call was billed. */
  units: number;
}
