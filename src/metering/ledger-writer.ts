/** Group commit: calls that come while one commit syncs share the next one. */

import { MeterctlError } from '../domain/error.js';
import type { UsageStore } from '../domain/store.js';
import type { NewUsage, RecordedUsage } from '../domain/usage.js';
import type { Clock, Log } from '../lib/host.js';

/** Beyond so many waiting calls the disk is hopelessly behind, and calls are refused instead of piled up. */
const queueMax = 10_000;

/** At most so many rows in one commit, so that the first of a long queue is not kept waiting for the last. */
const batchMax = 1_000;

/** Writes usage to the ledger. */
export interface LedgerWriter {
  /**
   * Resolves once the usage is committed and synced. Rejects with `unavailable` when the queue is full or this commit
   * failed; then nothing of it is in the ledger.
   */
  record(usage: NewUsage): Promise<RecordedUsage>;
  /** How many calls wait for a commit to begin. */
  queued(): number;
  /** Resolves when everything recorded so far is decided. */
  drain(): Promise<void>;
}

interface Waiting {
  usage: NewUsage;
  resolve(recorded: RecordedUsage): void;
  reject(error: unknown): void;
}

/**
 * Makes a writer. The trigger is the end of a round of I/O that brought no more calls, never a timer: a busy server gathers
 * whatever came in while the last batch synced. Whoever was alone in the last commit, with nobody behind him, is taken to be
 * alone again, and does not wait for that end.
 */
export function createLedgerWriter(deps: { store: UsageStore; clock: Clock; log: Log }): LedgerWriter {
  const queue: Waiting[] = [];
  let writing = false;
  let isQuiet = false;
  const idle: (() => void)[] = [];
  const outage = createOutage(deps.log);
  function gather(seen: number): void {
    deps.clock.soon(() => {
      if (queue.length > seen && queue.length < batchMax) gather(queue.length);
      else void write();
    });
  }

  /** Two rounds of I/O, as the present one may have begun before the commit: who came during that is not in it. */
  function listen(): void {
    deps.clock.soon(() => deps.clock.soon(() => (isQuiet = !writing)));
  }

  async function write(): Promise<void> {
    const batch = queue.splice(0, batchMax);
    try {
      const recorded = await deps.store.recordUsage(
        batch.map((waiting) => waiting.usage),
        deps.clock.nowMs(),
      );
      outage.noteWritten();
      for (const [index, waiting] of batch.entries()) tell(waiting, recorded[index]);
    } catch (error) {
      outage.noteRefused(batch.length, error);
      for (const waiting of batch) waiting.reject(error);
    }
    if (queue.length > 0) return gather(queue.length);
    writing = false;
    if (batch.length === 1) listen();
    for (const resolve of idle.splice(0)) resolve();
  }

  return {
    record(usage) {
      if (queue.length >= queueMax) {
        const error = tooMany();
        outage.noteRefused(1, error);
        return Promise.reject(error);
      }
      return new Promise((resolve, reject) => {
        queue.push({ usage, resolve, reject });
        if (writing) return;
        writing = true;
        if (isQuiet) void write();
        else gather(1);
        isQuiet = false;
      });
    },
    queued: () => queue.length,
    drain() {
      return writing ? new Promise((resolve) => idle.push(resolve)) : Promise.resolve();
    },
  };
}

function tell(waiting: Waiting, recorded: RecordedUsage | undefined): void {
  if (recorded) waiting.resolve(recorded);
  else
    waiting.reject(new MeterctlError('internal', 'The ledger answered for fewer calls than it was given.'));
}

function tooMany(): MeterctlError {
  return new MeterctlError('unavailable', `${queueMax} calls are waiting for the ledger already.`, {
    hint: 'The disk of the database is too slow for this load, or stuck.',
  });
}

/** Tells of an outage when it begins and when it ends, not for every call. */
function createOutage(log: Log) {
  let refusedCalls = 0;
  return {
    noteRefused(calls: number, error: unknown): void {
      if (refusedCalls === 0) log.error('the ledger cannot be written, so calls are refused', { error });
      refusedCalls += calls;
    },
    noteWritten(): void {
      if (refusedCalls > 0) log.info('the ledger can be written again', { refusedCalls });
      refusedCalls = 0;
    },
  };
}
