/** Keeps `last_used_at` without a write for every call: uses are gathered in memory and written now and then. */

import type { KeyStore } from '../domain/key-store.js';
import type { Clock, Log } from '../lib/host.js';
import { createLoop } from '../lib/loop.js';
import { turn } from '../lib/turn.js';

const writeIntervalMs = 5_000;

/** Uses that are written in one commit: a call waits for it. */
const batchMax = 50;

/** Notes uses of keys. */
export interface KeyUses {
  start(): void;
  /** Remembers that the key was used. */
  note(keyNo: number, atMs: number): void;
  /** Writes what was gathered. */
  flush(): Promise<void>;
  /** Ends the loop and writes the rest. */
  close(): Promise<void>;
}

/** Makes an empty notebook of uses. */
export function createKeyUses(deps: { store: KeyStore; clock: Clock; log: Log }): KeyUses {
  let uses = new Map<number, number>();
  async function flush(): Promise<void> {
    if (uses.size === 0) return;
    // Neighbours lie on the same pages of the file, so in order fewer of those are written.
    const gathered = Array.from(uses, ([keyNo, atMs]) => ({ keyNo, atMs })).sort((a, b) => a.keyNo - b.keyNo);
    uses = new Map();
    for (let start = 0; start < gathered.length; start += batchMax) {
      await deps.store.recordKeyUses(gathered.slice(start, start + batchMax));
      // Calls go on in between.
      await turn(deps.clock);
    }
  }
  const loop = createLoop({
    name: 'key uses',
    clock: deps.clock,
    log: deps.log,
    intervalMs: writeIntervalMs,
    tick: flush,
  });
  return {
    start: () => loop.start(),
    note(keyNo, atMs) {
      uses.set(keyNo, atMs);
    },
    flush,
    async close() {
      await loop.close();
      await flush();
    },
  };
}
