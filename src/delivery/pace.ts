/** When the courier may send: it pauses while Stripe is out of reach, and while somebody has to mend the key. */

import { MeterctlError } from '../domain/error.js';
import type { Clock, Host } from '../lib/host.js';
import { backoffMs } from './backoff.js';
import type { SendAnswer } from './send.js';

/** How long after a refused key it is tried again: somebody may have granted the permission meanwhile. */
const stoppedPauseMs = 30_000;

/**
 * No pause for a Stripe out of reach is longer, because it may only be out of reach for a few deliveries. Each of those waits
 * for its own next attempt, and that grows up to minutes.
 */
const pauseMaxMs = 10_000;

/** So many deliveries, of different customers, go ahead after trouble: one that Stripe always fails on says nothing of others. */
const probeMax = 4;

/** What the courier says of itself. */
export interface CourierState {
  /** Why nothing is sent until somebody mends it; `null` otherwise. */
  stopped: string | null;
  /** The last trouble with Stripe since something was last accepted. */
  trouble: string | null;
}

/** The courier's pauses. */
export interface Pace {
  mayGo(): boolean;
  /**
   * How many deliveries go ahead alone to see whether Stripe is back: a few after trouble, and one after a refused key, which
   * is the same for all. `null` when there is nothing to see.
   */
  probes(): number | null;
  state(): CourierState;
  /** A new round begins: a stop is tried again, because mending needs no restart. */
  begin(): void;
  /** The key was refused: nothing more is sent for a while. */
  stop(reason: string): void;
  /** Learns from the answers to one batch. A batch that only met trouble makes the courier pause, longer each time. */
  learn(answers: readonly SendAnswer[]): void;
  /** Learns from an error before anything was sent. Throws it again when it is a defect. */
  learnError(error: unknown): void;
  /** Pauses as for a stop, without one. */
  rest(): void;
}

/** A pace without pauses yet. */
export function createPace(host: Host): Pace {
  let stopped: string | null = null;
  let keyInDoubt = false;
  let trouble: string | null = null;
  let failedRounds = 0;
  const { pause, isPaused } = createPause(host.clock);

  /** `askedMs`: for how long Stripe asked everybody to wait. */
  function noteTrouble(reason: string, askedMs = 0): void {
    failedRounds += 1;
    trouble = reason;
    pause(Math.max(askedMs, Math.min(pauseMaxMs, backoffMs(failedRounds, null, host.random.next()))));
    host.log.warn('usage could not be sent; it is kept and tried again', { reason, failedRounds });
  }

  function noteStop(reason: string): void {
    stopped = reason;
    keyInDoubt = true;
    pause(stoppedPauseMs);
    host.log.error('no usage is sent until this is mended; it is kept', { reason });
  }

  return {
    mayGo: () => stopped === null && !isPaused(),
    probes: () => (keyInDoubt ? 1 : failedRounds > 0 ? probeMax : null),
    state: () => ({ stopped, trouble }),
    begin() {
      if (!isPaused()) stopped = null;
    },
    stop(reason) {
      if (stopped === null) noteStop(reason);
    },
    learn(answers) {
      if (stopped !== null) return;
      const troubles = answers.filter((answer) => answer.kind === 'retry');
      if (troubles[0] && troubles.length === answers.length) {
        noteTrouble(troubles[0].reason, waitAskedMs(troubles));
      } else if (answers.length > 0) {
        keyInDoubt = false;
        failedRounds = 0;
        trouble = null;
      }
    },
    learnError(error) {
      if (!(error instanceof MeterctlError)) throw error;
      if (error.code === 'unavailable') noteTrouble(error.message);
      else noteStop(error.message);
    },
    rest: () => pause(stoppedPauseMs),
  };
}

function createPause(clock: Clock): { pause(ms: number): void; isPaused(): boolean } {
  let pausedAtMs = 0;
  let pausedUntilMs = 0;
  return {
    pause(ms) {
      pausedAtMs = clock.nowMs();
      pausedUntilMs = pausedAtMs + ms;
    },
    /** A clock that was set back to before the pause must not make it longer. */
    isPaused() {
      const nowMs = clock.nowMs();
      return nowMs >= pausedAtMs && nowMs < pausedUntilMs;
    },
  };
}

/** For how long all were asked to wait; one alone waits by itself, whatever it was told. */
function waitAskedMs(troubles: readonly { retryAfterMs: number | null }[]): number {
  return troubles.length < 2 ? 0 : Math.min(...troubles.map(({ retryAfterMs }) => retryAfterMs ?? 0));
}
