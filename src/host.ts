/** The machine this program runs on: real clock, randomness, ids, network and log. */

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicFactory } from 'ulid';
import type { Host, Log } from './lib/host.js';

/** The real machine. Nothing is opened or started by making it. */
export function createHost(log: Log): Host {
  const nextUlid = monotonicFactory();
  return {
    clock: {
      nowMs: () => Date.now(),
      sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
      soon: (task) => void setImmediate(task),
    },
    random: { bytes: (count) => randomBytes(count), next: () => Math.random() },
    ids: { next: (prefix) => `${prefix}_${nextUlid().toLowerCase()}` },
    fetch: (input, init) => fetch(input, init),
    log,
  };
}
