/** Calls with an Idempotency-Key: the first one is carried out, a repeat gets what that was answered, and both at once is refused. */

import { answerAgeMaxMs, type KeptAnswer } from '../domain/answer.js';
import type { AnswerStore } from '../domain/store.js';
import type { Clock, Log } from '../lib/host.js';
import { createLoop, type Loop } from '../lib/loop.js';

/** How often old answers are thrown away. */
const removeIntervalMs = answerAgeMaxMs / 24;

/** One call under a key. */
export interface KeyedCall {
  customerNo: number;
  idempotencyKey: string;
  /** SHA-256 of the request. */
  fingerprint: Uint8Array;
  atMs: number;
}

/** What a call under a key is. `other`: the key belongs to another request. */
export type Begun =
  | { kind: 'first'; end(): void }
  | { kind: 'running' }
  | { kind: 'other' }
  | { kind: 'repeat'; answer: KeptAnswer };

/** Tells first calls from repeats. The loop throws old answers away. */
export interface RepeatGuard extends Loop {
  /** Begins a call. `end` must be called once its answer is kept, or will never be. */
  begin(call: KeyedCall): Promise<Begun>;
  /** Throws away what is too old. What tests call. */
  tick(): Promise<void>;
}

/** Makes a guard for the calls of this process: two processes that get the same call at once both carry it out, and bill it once. */
export function createRepeatGuard(deps: { store: AnswerStore; clock: Clock; log: Log }): RepeatGuard {
  const { store, clock, log } = deps;
  /** Fingerprints of what is being carried out. */
  const running = new Map<string, Uint8Array>();

  async function begin(call: KeyedCall): Promise<Begun> {
    const name = `${call.customerNo} ${call.idempotencyKey}`;
    const present = running.get(name);
    if (present) return { kind: isSame(present, call.fingerprint) ? 'running' : 'other' };
    running.set(name, call.fingerprint);
    function end(): void {
      // Once ended, the name may already be another call's.
      if (running.get(name) === call.fingerprint) running.delete(name);
    }
    try {
      const answer = await store.findAnswer(call.customerNo, call.idempotencyKey, call.atMs);
      if (!answer) return { kind: 'first', end };
      end();
      // In another process, or in one that has crashed: then it is closed in a while.
      if (answer === 'running') return { kind: 'running' };
      return isSame(answer.fingerprint, call.fingerprint) ? { kind: 'repeat', answer } : { kind: 'other' };
    } catch (error) {
      end();
      throw error;
    }
  }

  async function tick(): Promise<void> {
    await store.removeAnswers(clock.nowMs());
  }

  const loop = createLoop({ name: 'old answers', clock, log, intervalMs: removeIntervalMs, tick });
  return { ...loop, begin, tick };
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
