/** A machine for tests: a clock that stands still until it is advanced, seeded randomness, counted ids, a log that is kept. */

import { setImmediate as turn } from 'node:timers/promises';
import type { Host } from '../../src/lib/host.js';

/** One line of the log. */
interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  fields: Record<string, unknown>;
}

/** A host whose time and chance the test decides. The network is real: tests talk to real servers on loopback. */
export interface FakeHost extends Host {
  /** Everything that was logged, oldest first. */
  readonly lines: LogLine[];
  /** Moves time on and wakes every sleeper that falls due on the way, in order, letting each run before the next. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock, backwards too, as a clock that jumps: no sleeper wakes, and each still sleeps as long as it had to. */
  jump(toMs: number): void;
}

/** When tests take place unless they say otherwise. */
export const testStartMs = Date.UTC(2026, 10, 10, 12);

/** Makes a fake machine. The same seed gives the same randomness. */
export function createFakeHost(options: { nowMs?: number; seed?: number } = {}): FakeHost {
  const lines: LogLine[] = [];
  const clock = createFakeClock(options.nowMs ?? testStartMs);
  const next = createSeededRandom(options.seed ?? 1);
  const idTimes: number[] = [];
  const padded = (count: number) => String(count).padStart(8, '0');

  function writer(level: LogLine['level']) {
    return (message: string, fields: Record<string, unknown> = {}): void => {
      lines.push({ level, message, fields });
    };
  }

  return {
    lines,
    clock,
    advance: clock.advance,
    jump: clock.jump,
    random: { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) },
    ids: {
      next(prefix) {
        idTimes.push(clock.nowMs());
        return `${prefix}_${padded(idTimes.length)}`;
      },
      bound: (prefix, atMs) => `${prefix}_${padded(idTimes.filter((ms) => ms < atMs).length + 1)}`,
    },
    processes: { own: 'test', hasEnded: () => false },
    fetch: (input, init) => fetch(input, init),
    log: { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') },
  };
}

interface Sleeper {
  dueMs: number;
  wake(): void;
}

function createFakeClock(startMs: number): Host['clock'] & Pick<FakeHost, 'advance' | 'jump'> {
  let nowMs = startMs;
  let sleepers: Sleeper[] = [];

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const sleeper: Sleeper = {
        dueMs: nowMs + ms,
        wake() {
          sleepers = sleepers.filter((other) => other !== sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      sleepers.push(sleeper);
      signal?.addEventListener('abort', sleeper.wake);
    });
  }

  async function advance(ms: number): Promise<void> {
    const targetMs = nowMs + ms;
    for (;;) {
      await settle();
      const due = sleepers
        .filter((sleeper) => sleeper.dueMs <= targetMs)
        .sort((a, b) => a.dueMs - b.dueMs)[0];
      if (!due) break;
      nowMs = Math.max(nowMs, due.dueMs);
      due.wake();
    }
    nowMs = targetMs;
  }

  function jump(toMs: number): void {
    for (const sleeper of sleepers) sleeper.dueMs += toMs - nowMs;
    nowMs = toMs;
  }

  return { nowMs: () => nowMs, sleep, soon: (task) => void setImmediate(task), advance, jump };
}

/** Lets everything run that needs neither time nor the network. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await turn();
}

/** Mulberry32: small, seeded, good enough for jitter. */
function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
