/** Several processes on one fake machine: each knows which of the others have ended. */

import type { FakeHost } from './host.js';

/** One of them. */
export interface FakeProcess {
  /** The machine as this process has it. */
  host: FakeHost;
  /** From now on the others may know that it is dead. Nothing else happens to it. */
  end(): void;
}

/** Returns what starts a process. */
export function createProcesses(machine: FakeHost): () => FakeProcess {
  const ended = new Set<string>();
  let started = 0;
  return () => {
    started += 1;
    const own = `process ${started}`;
    return {
      host: { ...machine, processes: { own, hasEnded: (name) => ended.has(name) } },
      end: () => void ended.add(own),
    };
  };
}
