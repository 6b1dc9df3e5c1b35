/** The machine this program runs on: real clock, randomness, ids, network and log. */

import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeTime, monotonicFactory } from 'ulid';
import type { Host, Log, Processes } from './lib/host.js';

/** The real machine. Nothing is opened or started by making it. */
export function createHost(log: Log): Host {
  const nextUlid = monotonicFactory(createDice());
  return {
    clock: {
      nowMs: () => Date.now(),
      sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
      soon: (task) => void setImmediate(task),
    },
    random: { bytes: (count) => randomBytes(count), next: () => Math.random() },
    ids: {
      next: (prefix) => `${prefix}_${nextUlid().toLowerCase()}`,
      bound: (prefix, atMs) => `${prefix}_${encodeTime(atMs).toLowerCase()}`,
    },
    processes: createProcesses(),
    fetch: (input, init) => fetch(input, init),
    log,
  };
}

/** Numbers of processes mean something only on one machine, and within one container. */
function createProcesses(): Processes {
  const place = `${hostname()} ${pidNamespace()}`;
  return {
    own: `${process.pid} ${place}`,
    hasEnded(name) {
      const [, pid, elsewhere] = /^(\d+) (.*)$/.exec(name) ?? [];
      if (elsewhere !== place) return false;
      try {
        process.kill(Number(pid), 0);
        return false;
      } catch (error) {
        return error instanceof Error && 'code' in error && error.code === 'ESRCH';
      }
    },
  };
}

/** Linux: within which its numbers are given (pid_namespaces(7)). Elsewhere there is one for all. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Random numbers from [0, 1), drawn from the system many at a time: one by one they cost more than all else of an id. */
function createDice(): () => number {
  let bytes = randomBytes(4096);
  let at = 0;
  return () => {
    if (at === bytes.length) {
      bytes = randomBytes(bytes.length);
      at = 0;
    }
    const byte = bytes[at] ?? 0;
    at += 1;
    return byte / 256;
  };
}
