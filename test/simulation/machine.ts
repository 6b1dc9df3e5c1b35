/** Time and machines of a simulation: the true time, by which Stripe lives, and a wall clock that may be wrong. */

import type { Host } from '../../src/lib/host.js';
import { createDice } from './dice.js';
import type { Life, Scheduler } from './scheduler.js';

/** The emulator is told to hold a call up for this long; by it the simulation knows such a call from everything else. */
export const heldMs = 7;

/** The times of a simulation. */
export interface Time {
  /** As Stripe has it. Only ever goes forward. */
  trueMs(): number;
  /** As the machine of the daemons has it. */
  wallMs(): number;
  pass(ms: number): void;
  /** Sets the wall clock wrong by so much; 0 puts it right. */
  setSkew(ms: number): void;
  skewMs(): number;
  /** Resolves after `ms`, however the wall clock jumps meanwhile, unless the life ends before. */
  sleep(life: Life, ms: number, signal?: AbortSignal): Promise<void>;
  /** When the next sleeper wakes, by true time. */
  nextWakeMs(): number | undefined;
}

/** Time that starts at `startMs`. */
export function createTime(startMs: number): Time {
  let nowMs = startMs;
  let skewMs = 0;
  let sleepers: { life: Life; dueMs: number; wake(): void }[] = [];

  function wakeDue(): void {
    const due = sleepers.filter((sleeper) => sleeper.dueMs <= nowMs);
    sleepers = sleepers.filter((sleeper) => sleeper.dueMs > nowMs);
    for (const sleeper of due) if (!sleeper.life.ended) sleeper.wake();
  }

  return {
    trueMs: () => nowMs,
    wallMs: () => nowMs + skewMs,
    skewMs: () => skewMs,
    setSkew(ms) {
      skewMs = ms;
    },
    pass(ms) {
      nowMs += ms;
      wakeDue();
    },
    sleep: (life, ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = { life, dueMs: nowMs + ms, wake: () => resolve() };
        sleepers.push(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          resolve();
        });
      }),
    nextWakeMs() {
      const awaited = sleepers.filter((sleeper) => !sleeper.life.ended).map((sleeper) => sleeper.dueMs);
      return awaited.length === 0 ? undefined : Math.min(...awaited);
    },
  };
}

/** What every machine of one simulation shares. */
export interface Surroundings {
  seed: number;
  time: Time;
  scheduler: Scheduler;
  /** Told what is logged. */
  note(line: string): void;
}

function createLog(name: string, note: Surroundings['note']): Host['log'] {
  const write = (message: string, fields?: Record<string, unknown>) =>
    note(`${name} says: ${message} ${String(fields?.error ?? fields?.reason ?? '')}`.trimEnd());
  return { debug: write, info: write, warn: write, error: write };
}

function createRandom(seed: number, stream: number): Host['random'] {
  const dice = createDice(seed, stream);
  return { next: dice.next, bytes: (length) => Uint8Array.from({ length }, () => dice.between(0, 255)) };
}

/** Only `/readyz` asks how old an id is, and no simulation asks that. */
function bound(): never {
  throw new Error('the ids of a simulation tell no time');
}

/** The machine of one daemon: it sees the wall clock, and its pauses are places where it may die. */
export function createDaemonHost(
  { seed, time, scheduler, note }: Surroundings,
  life: Life,
  number: number,
  nextId: Host['ids']['next'],
): Host {
  return {
    clock: {
      nowMs: time.wallMs,
      sleep: (ms, signal) => time.sleep(life, ms, signal),
      soon: (task) => void scheduler.park(life, 'soon', 'step', async () => undefined).then(task),
    },
    random: createRandom(seed, 100 + number),
    ids: { next: nextId, bound },
    processes: { own: life.name, hasEnded: scheduler.hasEnded },
    fetch: () => Promise.reject(new Error('a daemon has no business on the network but the SDK')),
    log: createLog(life.name, note),
  };
}

/** The emulator's machine: its background pauses for ever, and `ticks` are the simulation's; `post` takes its webhooks. */
export function createStripeHost({ seed, time, scheduler, note }: Surroundings, post: Host['fetch']): Host {
  return {
    clock: {
      nowMs: time.trueMs,
      sleep: (ms, signal) =>
        ms === heldMs
          ? scheduler.hold()
          : new Promise((resolve) => {
              if (signal?.aborted) return resolve();
              signal?.addEventListener('abort', () => resolve(), { once: true });
            }),
      soon: (task) => void setImmediate(task),
    },
    random: createRandom(seed, 1),
    ids: { next: (prefix) => `${prefix}_stripe`, bound },
    processes: { own: 'stripe', hasEnded: () => false },
    fetch: post,
    log: createLog('stripe', note),
  };
}
