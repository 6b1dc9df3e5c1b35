/** Answers that are kept for calls with an Idempotency-Key, so that a repeat gets the first one. */

import type { SeenRunner } from './runner.js';
import type { RecordedUsage } from './usage.js';

/** For so long a repeat is answered from what was kept. */
export const answerAgeMaxMs = 24 * 3_600_000;

/** Bodies beyond this size are not kept; that they were there is. */
export const answerBytesMax = 64 * 1024;

/** An answer as it went out. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[]>;
  /** `null` for one that was too large to keep, or a stream that was cut off. */
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

/** A call under a key that is being carried out, or was when its process crashed. */
export interface RunningCall {
  fingerprint: Uint8Array;
  status: 'running';
}

/** A key that a process takes for a call before it carries it out. */
export interface AnswerClaim {
  customerNo: number;
  idempotencyKey: string;
  fingerprint: Uint8Array;
  /** Stands for the process. */
  runner: string;
  /** Which of the runner's claims it is. */
  no: number;
}

/** An answer that was kept. */
export interface KeptAnswer extends Answer {
  fingerprint: Uint8Array;
  /** What the first call was billed. */
  units: number;
}

/** Answers of calls with an Idempotency-Key; they are kept by `recordUsage`. */
export interface AnswerStore extends AnswerClaimStore {
  /** What the customer's call under the key was answered in the day before `nowMs`, or that it is open. */
  findAnswer(
    customerNo: number,
    idempotencyKey: string,
    nowMs: number,
  ): Promise<KeptAnswer | RunningCall | undefined>;
  /** Forgets answers that are a day old. Returns how many. */
  removeAnswers(nowMs: number): Promise<number>;
}

/**
 * Keys of calls that are being carried out, so that one process alone does. They are seen by others at once, but not synced: a
 * power cut ends those who made them too.
 */
export interface AnswerClaimStore {
  /** Takes the key for the call, last seen now, unless it is answered (see `findAnswer`), open, or another process's. */
  claimAnswer(
    claim: AnswerClaim,
    at: { nowMs: number; seenAtMs: number },
  ): Promise<'claimed' | KeptAnswer | RunningCall>;
  /** Gives keys free, where these claims still hold them. */
  releaseAnswers(claims: readonly Omit<AnswerClaim, 'fingerprint'>[]): Promise<void>;
  /** Says that a runner still carries these calls out. Takes their keys again where they were given free, and nobody has them. */
  renewClaims(claims: readonly AnswerClaim[], seenAtMs: number): Promise<void>;
  /** Who has taken keys, and when it was last seen. */
  listClaimants(): Promise<SeenRunner[]>;
  /** Gives everything free that the runner has taken, unless it was seen since. Returns how many keys. */
  removeClaims(claimant: SeenRunner): Promise<number>;
}
