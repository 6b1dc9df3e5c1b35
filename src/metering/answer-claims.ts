/** Keys that this process has taken for calls that it carries out, so that no other process carries them out too. */

import type { AnswerClaim, AnswerClaimStore, KeptAnswer, RunningCall } from '../domain/answer.js';
import { MeterctlError } from '../domain/error.js';
import type { Host } from '../lib/host.js';
import { createLoop, type Loop } from '../lib/loop.js';

const tickMs = 1_000;

/** Every process that has taken keys says so often that it runs. */
const renewMs = 5_000;

/** One that has not said so for this long has crashed, or stands still. */
const unseenMs = 15_000;

/** A call that is to be carried out under a key. */
type ClaimedCall = Omit<AnswerClaim, 'runner' | 'no'>;

/**
 * The key, until it is released, which is written as soon as it can be; or what was found under it.
 */
export type Claimed = { release(): void } | KeptAnswer | RunningCall;

/** Takes keys and gives them free. The loop says that this process runs, and gives free what others have left in a crash. */
export interface AnswerClaims extends Loop {
  /** Takes the key for the call, unless it is answered, or is being carried out elsewhere. Rejects as the store does. */
  claim(call: ClaimedCall, atMs: number): Promise<Claimed>;
  /** What tests call. */
  tick(): Promise<void>;
}

interface Deps {
  store: AnswerClaimStore;
  /** With the machine's own clock: processes tell each other their time. */
  host: Host;
}

/** Makes claims for a process that has taken nothing. */
export function createAnswerClaims(deps: Deps): AnswerClaims {
  const { store } = deps;
  const { clock, log, ids, processes } = deps.host;
  const runner = `${ids.next('run')} ${processes.own}`;
  /** How many claims there were, how many there are, and those of them that are over. */
  let lastNo = 0;
  let present = 0;
  const over: AnswerClaim[] = [];
  let renewedAtMs = clock.nowMs();

  async function giveFree(): Promise<void> {
    const claims = over.splice(0);
    if (claims.length === 0) return;
    try {
      await store.releaseAnswers(claims);
      present -= claims.length;
    } catch (error) {
      over.push(...claims);
      if (!(error instanceof MeterctlError)) throw error;
    }
  }

  async function renew(): Promise<void> {
    const nowMs = clock.nowMs();
    if (present === 0 || Math.abs(nowMs - renewedAtMs) < renewMs) return;
    renewedAtMs = nowMs;
    await store.renewClaims(runner, nowMs);
  }

  async function tick(): Promise<void> {
    await giveFree();
    await renew();
    await removeLeft(deps, runner);
  }

  const loop = createLoop({ name: 'keys of calls', clock, log, intervalMs: tickMs, tick });
  return {
    ...loop,
    tick,
    async claim(call, atMs) {
      lastNo += 1;
      const claim: AnswerClaim = { ...call, runner, no: lastNo };
      const found = await store.claimAnswer(claim, { nowMs: atMs, seenAtMs: clock.nowMs() });
      if (found !== 'claimed') return found;
      present += 1;
      return {
        release() {
          over.push(claim);
          void giveFree();
        },
      };
    },
    async close() {
      await loop.close();
      await giveFree();
    },
  };
}

/** Gives free what processes have taken that have ended, or stand still. */
async function removeLeft({ store, host }: Deps, own: string): Promise<void> {
  const { clock, log, processes } = host;
  for (const { runner, seenAtMs } of await store.listClaimants()) {
    if (runner === own) continue;
    const isUnseen = Math.abs(clock.nowMs() - seenAtMs) >= unseenMs;
    if (!isUnseen && !processes.hasEnded(processOf(runner))) continue;
    await store.removeClaims(runner);
    log.warn('gave keys free that a crash had left taken', { runner });
  }
}

/** The process's own name, behind that of what it opened. */
function processOf(runner: string): string {
  return runner.slice(runner.indexOf(' ') + 1);
}
