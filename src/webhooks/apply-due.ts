/** Applies the messages that are due, several targets beside one another. */

import type { Webhook } from '../domain/webhook.js';
import { type ApplyDeps, applyMessages, putOff } from './apply-messages.js';
import { type EventTarget, eventTarget } from './event-target.js';

/** Messages that are taken at once. */
const batchMax = 50;

/** Targets that are looked at beside one another: one that Stripe is slow about holds up no other. */
const targetsMax = 8;

/** Longer than the slowest look at Stripe: a lease only runs out when its holder died. */
const leaseMs = 2 * 60_000;

/** How many messages have been dealt with. */
export interface Applied {
  applied: number;
  /** Those that failed, and are tried again later. */
  postponed: number;
}

/** Work on what is due. */
export interface DueWork {
  /** Takes what is due and begins to apply it, as long as there is room, without waiting for it. */
  begin(signal: AbortSignal, sum?: Applied): Promise<void>;
  /** Applies what is due until there is no more. */
  drain(signal: AbortSignal): Promise<Applied>;
  /** Resolves when nothing is being applied. */
  idle(): Promise<unknown>;
}

/** Makes the work; `whenRoom` is told each time that there is room for another target. */
export function createDueWork(deps: ApplyDeps, whenRoom: () => void): DueWork {
  const running = new Set<Promise<void>>();

  async function begin(signal: AbortSignal, sum: Applied = { applied: 0, postponed: 0 }): Promise<void> {
    while (!signal.aborted && running.size < targetsMax) {
      const claim = { nowMs: deps.host.clock.nowMs(), leaseMs, limit: batchMax };
      const due = await deps.store.claimWebhooks(claim);
      if (due.length === 0) return;
      for (const { target, messages } of await byTarget(deps, due, sum)) {
        if (running.size >= targetsMax) await Promise.race(running);
        const work = applyTarget(deps, target, messages, sum).finally(() => {
          running.delete(work);
          whenRoom();
        });
        running.add(work);
      }
    }
  }

  return {
    begin,
    async drain(signal) {
      const sum = { applied: 0, postponed: 0 };
      do {
        await begin(signal, sum);
        if (running.size > 0) await Promise.race(running);
      } while (running.size > 0);
      return sum;
    },
    idle: () => Promise.all(running),
  };
}

/** Messages about the same thing are applied together. One that cannot be read is put off by itself. */
async function byTarget(deps: ApplyDeps, due: readonly Webhook[], sum: Applied) {
  const groups = new Map<string, { target: EventTarget; messages: Webhook[] }>();
  for (const message of due) {
    try {
      const target = eventTarget(message);
      const name = JSON.stringify(target);
      const group = groups.get(name);
      if (group) group.messages.push(message);
      else groups.set(name, { target, messages: [message] });
    } catch (error) {
      await putOff(deps, [message], error);
      sum.postponed += 1;
    }
  }
  return groups.values();
}

async function applyTarget(
  deps: ApplyDeps,
  target: EventTarget,
  messages: readonly Webhook[],
  sum: Applied,
): Promise<void> {
  try {
    const error = await applyMessages(deps, target, messages);
    sum[error === undefined ? 'applied' : 'postponed'] += messages.length;
  } catch (error) {
    // Their leases run out, and they are tried again.
    deps.host.log.error('what came of a message from Stripe could not be written down', { error });
  }
}
