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
   * Answers once the usage is committed and synced: a value for a call that was alone, a promise otherwise. Rejects with
   * `unavailable` when the queue is full or this commit failed; then nothing of it is in the ledger.
   */
  record(usage: NewUsage): RecordedUsage | Promise<RecordedUsage>;
  /** How many calls wait for a commit to begin. */
  queued(): number;
  /** Resolves when everything recorded so far is decided. */
  drain(): Promise<void>;
}

type Recording = ReturnType<UsageStore['recordUsage']>;

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
  const quiet = createQuiet(deps.clock);
  const idle: (() => void)[] = [];
  const outage = createOutage(deps.log);
  function gather(seen: number): void {
    deps.clock.soon(() => {
      if (queue.length > seen && queue.length < batchMax) gather(queue.length);
      else void write();
    });
  }

  async function write(): Promise<void> {
    const batch = queue.splice(0, batchMax);
    const usages = batch.map(({ usage }) => usage);
    await conclude(batch, deps.store.recordUsage(usages, deps.clock.nowMs()));
  }

  async function conclude(batch: readonly Waiting[], recording: Recording): Promise<void> {
    await tellAll(batch, recording, outage);
    goOn(batch.length);
  }

  function goOn(written: number): void {
    if (queue.length > 0) {
      gather(queue.length);
      return;
    }
    writing = false;
    if (written === 1) quiet.listen();
    for (const resolve of idle.splice(0)) resolve();
  }

  /** What the store answers at once is answered at once: every promise would keep the answer waiting. */
  function writeAlone(usage: NewUsage): RecordedUsage | Promise<RecordedUsage> {
    const recording = deps.store.recordUsage([usage], deps.clock.nowMs());
    const own = recording instanceof Promise ? undefined : recording[0];
    if (!own) return new Promise((resolve, reject) => void conclude([{ usage, resolve, reject }], recording));
    outage.noteWritten();
    goOn(1);
    return own;
  }

  return {
    record(usage) {
      if (queue.length >= queueMax) return refuse(outage);
      const isFirst = !writing;
      writing = true;
      if (quiet.end() && isFirst) return writeAlone(usage);
      return new Promise((resolve, reject) => {
        queue.push({ usage, resolve, reject });
        if (isFirst) gather(1);
      });
    },
    queued: () => queue.length,
    drain: () => (writing ? new Promise((resolve) => idle.push(resolve)) : Promise.resolve()),
  };
}

/** Whether nobody has come for a while. */
function createQuiet(clock: Clock) {
  let isQuiet = false;
  let calls = 0;
  return {
    /** Begins with the end of two rounds of I/O without a call: the present one may have begun before the last commit. */
    listen(): void {
      const before = calls;
      clock.soon(() => clock.soon(() => (isQuiet = calls === before)));
    },
    /** Somebody has come. Returns whether it was quiet. */
    end(): boolean {
      calls += 1;
      const was = isQuiet;
      isQuiet = false;
      return was;
    },
  };
}

async function tellAll(batch: readonly Waiting[], recording: Recording, outage: Outage): Promise<void> {
  try {
    const recorded = await recording;
    outage.noteWritten();
    for (const [index, waiting] of batch.entries()) tell(waiting, recorded[index]);
  } catch (error) {
    outage.noteRefused(batch.length, error);
    for (const waiting of batch) waiting.reject(error);
  }
}

function tell(waiting: Waiting, recorded: RecordedUsage | undefined): void {
  if (recorded) waiting.resolve(recorded);
  else
    waiting.reject(new MeterctlError('internal', 'The ledger answered for fewer calls than it was given.'));
}

function refuse(outage: Outage): Promise<never> {
  const error = new MeterctlError('unavailable', `${queueMax} calls are waiting for the ledger already.`, {
    hint: 'The disk of the database is too slow for this load, or stuck.',
  });
  outage.noteRefused(1, error);
  return Promise.reject(error);
}

type Outage = ReturnType<typeof createOutage>;

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
