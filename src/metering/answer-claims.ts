/** Keys that this process has taken for calls that it carries out, so that no other process carries them out too. */

import type { AnswerClaim, AnswerClaimStore, KeptAnswer, RunningCall } from '../domain/answer.js';
import { MeterctlError } from '../domain/error.js';
import { nameRunner } from '../domain/runner.js';
import type { Host } from '../lib/host.js';
import { createLoop, type Loop } from '../lib/loop.js';
import { createRunnerWatch } from './runner-watch.js';

const tickMs = 1_000;

/** Every process that has taken keys says so often that it runs. */
const renewMs = 5_000;

/** A call that is to be carried out under a key. */
type ClaimedCall = Omit<AnswerClaim, 'runner' | 'no'>;

/** The key, until it is released, which may be said twice and is written as soon as it can be; or what was found under it. */
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
  const runner = nameRunner(ids, processes);
  /** Claims of calls that run, by their numbers. */
  const running = new Map<number, AnswerClaim>();
  let lastNo = 0;
  const { over, giveFree } = createReleases(store);
  const findCrashed = createRunnerWatch(processes);
  let renewedAtMs = clock.nowMs();

  async function renew(): Promise<void> {
    const nowMs = clock.nowMs();
    if (running.size === 0 || Math.abs(nowMs - renewedAtMs) < renewMs) return;
    renewedAtMs = nowMs;
    await store.renewClaims([...running.values()], nowMs);
  }

  /** Whoever cannot write himself does not hold it against others. */
  async function tick(): Promise<void> {
    await renew();
    await giveFree();
    const others = (await store.listClaimants()).filter((claimant) => claimant.runner !== runner);
    for (const crashed of findCrashed(others)) {
      const keys = await store.removeClaims(crashed);
      if (keys > 0) log.warn('gave keys free that a crash had left taken', { runner: crashed.runner, keys });
    }
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
      running.set(claim.no, claim);
      return {
        release() {
          if (!running.delete(claim.no)) return;
          over.push(claim);
          // What fails is left to the next tick, which tells of it.
          giveFree().catch(() => undefined);
        },
      };
    },
    async close() {
      await loop.close();
      await giveFree();
    },
  };
}

/** Claims of calls that are over, until they are given free. What cannot be written now is left for the next time. */
function createReleases(store: AnswerClaimStore): { over: AnswerClaim[]; giveFree(): Promise<void> } {
  const over: AnswerClaim[] = [];
  return {
    over,
    async giveFree() {
      const claims = over.splice(0);
      if (claims.length === 0) return;
      try {
        await store.releaseAnswers(claims);
      } catch (error) {
        over.push(...claims);
        if (!(error instanceof MeterctlError)) throw error;
      }
    },
  };
}
