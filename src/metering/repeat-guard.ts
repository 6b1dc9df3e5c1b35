/** Calls with an Idempotency-Key: the first one is carried out, a repeat gets what that was answered, and both at once is refused. */

import { type AnswerStore, answerAgeMaxMs, type KeptAnswer } from '../domain/answer.js';
import type { Clock, Log } from '../lib/host.js';
import { createLoop, type Loop } from '../lib/loop.js';
import type { AnswerClaims, Claimed } from './answer-claims.js';

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

/** What a guard works with. */
export interface RepeatGuardDeps {
  store: Pick<AnswerStore, 'findAnswer' | 'removeAnswers'>;
  claims: Pick<AnswerClaims, 'claim'>;
  clock: Clock;
  log: Log;
}

/** Makes a guard. A key is held twice: here, where it costs nothing, and by a claim that other processes see. */
export function createRepeatGuard({ store, claims, clock, log }: RepeatGuardDeps): RepeatGuard {
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
      const found = await find(call);
      if ('release' in found) {
        return {
          kind: 'first',
          end() {
            end();
            found.release();
          },
        };
      }
      end();
      if (!isSame(found.fingerprint, call.fingerprint)) return { kind: 'other' };
      return found.status === 'running' ? { kind: 'running' } : { kind: 'repeat', answer: found };
    } catch (error) {
      end();
      throw error;
    }
  }

  /** A repeat, which is common, is answered without a write. */
  async function find({ atMs, ...call }: KeyedCall): Promise<Claimed> {
    return (await store.findAnswer(call.customerNo, call.idempotencyKey, atMs)) ?? claims.claim(call, atMs);
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
