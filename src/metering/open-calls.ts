/** Calls whose units are known only at their end: on disk while they run, so that a crash neither loses nor doubles them. */

import { MeterctlError } from '../domain/error.js';
import { type CallProgress, type CallStep, owedAfterCrash } from '../domain/open-call.js';
import type { AbortPolicy } from '../domain/route.js';
import type { UsageStore } from '../domain/store.js';
import type { NewUsage } from '../domain/usage.js';
import type { Host } from '../lib/host.js';
import { createLoop } from '../lib/loop.js';
import { turn } from '../lib/turn.js';
import type { LedgerWriter } from './ledger-writer.js';
import { createRunnerWatch, type RunnerWatch } from './runner-watch.js';

/** A call that runs, and is on disk. */
export interface OpenCall {
  /** Resolves once the units so far are on disk. Calls that ask at the same time share a commit. Rejects as the store does. */
  save(): Promise<void>;
  /**
   * It is over, and this is owed; nothing where it is as good as never made, and may be made again under its key. Resolves once
   * that is on disk, with the units that were left for it: what cannot be written now is tried again until it can.
   */
  end(units: number | 'nothing'): Promise<number>;
}

/** What a call begins with. */
export interface CallBeginning {
  /** The ledger's row for these units, used now, and for the step that the call takes. */
  usage(units: number, call?: CallStep): NewUsage;
  /** The units so far. */
  owed(): number;
  /** How many units it holds of its limits. */
  held(): number;
  onAbort: AbortPolicy;
  /** Called when other processes have sold what the call owes beyond the units that it holds on disk. */
  outsold(): void;
  /** Called as soon as the ledger has the call with these units, used at this time. */
  settled(units: number, atMs: number): void;
}

/** Begins calls, follows them, and closes those of processes that have crashed. */
export interface OpenCalls {
  start(): void;
  /** Resolves once it is on disk that the call runs; `no_room` where limits leave no room for it. Rejects as the ledger does. */
  open(beginning: CallBeginning): Promise<OpenCall | 'no_room'>;
  /** Notes how far calls have come, and closes what nobody runs any more. Tests call it; `start` calls it every second. */
  tick(): Promise<void>;
  /** Writes what is left to write. */
  close(): Promise<void>;
}

const tickMs = 1_000;

/** A call that stands still is said to run so often. */
const renewMs = 5_000;

const batchMax = 1_000;

interface Running {
  beginning: CallBeginning;
  step: CallStep;
  /** What is on disk, and since when it says so. */
  savedUnits: number;
  savedAtMs: number;
  /** Set once it is over: the ledger's row. */
  over?: NewUsage;
  /** Called when that is on disk. */
  closed: (units: number) => void;
}

interface Deps {
  store: UsageStore;
  ledger: LedgerWriter;
  /** With the machine's own clock; usage brings its time with it. */
  host: Host;
  /** Called when calls of other processes were closed. */
  recount(): void;
}

/** Nothing runs in the background before `start`. */
export function createOpenCalls(deps: Deps): OpenCalls {
  const { ledger } = deps;
  const { clock, log, processes } = deps.host;
  const running = new Map<string, Running>();
  const findCrashed = createRunnerWatch(processes);
  /** The commit that is being made, and the one after it. */
  let saving: Promise<unknown> | undefined;
  let next: Promise<void> | undefined;

  /** What asks before a commit begins is in it. They come one by one: the store may keep one waiting, and more would say the same. */
  function save(): Promise<void> {
    next ??= Promise.all([saving, turn(clock)]).then(() => {
      next = undefined;
      const saved = saveMoved(deps, running);
      saving = saved.catch(() => undefined);
      return saved;
    });
    return next;
  }

  async function open(beginning: CallBeginning): Promise<OpenCall | 'no_room'> {
    const begun = await begin(deps, beginning);
    if (begun === 'no_room') return begun;
    const { step } = begun;
    const call: Running = { ...begun, beginning, closed: () => undefined };
    const closed = new Promise<number>((resolve) => {
      call.closed = resolve;
    });
    running.set(step.id, call);
    return {
      save,
      end(units) {
        if (!call.over) {
          call.over = lastUsage(beginning, step, units);
          void closeCall(deps, running, call);
        }
        return closed;
      },
    };
  }

  async function tick(): Promise<void> {
    await Promise.all([...running.values()].map((call) => closeCall(deps, running, call)));
    await save();
    await closeLeft(deps, findCrashed);
  }

  const loop = createLoop({ name: 'open calls', clock, log, intervalMs: tickMs, tick });
  return {
    start: () => loop.start(),
    open,
    tick,
    async close() {
      await loop.close();
      await ledger.drain();
    },
  };
}

/** Puts the call on disk. */
async function begin(
  { ledger, host: { clock, ids } }: Deps,
  beginning: CallBeginning,
): Promise<Pick<Running, 'step' | 'savedUnits' | 'savedAtMs'> | 'no_room'> {
  const { onAbort } = beginning;
  const savedUnits = beginning.owed();
  const heldUnits = beginning.held();
  const savedAtMs = clock.nowMs();
  const step: CallStep = { id: ids.next('call'), step: 'open', heldUnits, onAbort, seenAtMs: savedAtMs };
  const { recorded } = await ledger.record(beginning.usage(savedUnits, step));
  return recorded === 'no_room' ? recorded : { step, savedUnits, savedAtMs };
}

function lastUsage(beginning: CallBeginning, step: CallStep, units: number | 'nothing'): NewUsage {
  const over = { ...step, step: 'over' } as const;
  return units === 'nothing'
    ? { ...beginning.usage(0, over), answered: undefined }
    : beginning.usage(units, over);
}

/** A failure is told by the ledger writer; the next tick tries again, and after a crash another process does. */
async function closeCall(
  { ledger, host }: Deps,
  running: Map<string, Running>,
  call: Running,
): Promise<void> {
  if (!call.over) return;
  const { id } = call.step;
  try {
    const { recorded, units } = await ledger.record(call.over);
    if (!running.delete(id)) return;
    call.beginning.settled(recorded === 'new' ? units : 0, call.over.atMs);
    call.closed(recorded === 'new' ? units : call.over.units);
    if (recorded !== 'closed') return;
    host.log.warn('a call was closed by another process while it ran', { call: id });
  } catch (error) {
    if (!(error instanceof MeterctlError)) throw error;
  }
}

/** Notes how far the calls have come that have moved, or were not said to run for a while. */
async function saveMoved({ store, host }: Deps, running: Map<string, Running>): Promise<void> {
  const nowMs = host.clock.nowMs();
  const moved = [...running.values()].filter((call) => !call.over && hasMoved(call, nowMs));
  for (let from = 0; from < moved.length; from += batchMax) {
    const calls = moved.slice(from, from + batchMax);
    const progress = calls.map((call) => progressOf(call, nowMs));
    const owed = await store.recordProgress(progress);
    calls.forEach((call, index) => {
      const asked = progress[index]?.units ?? 0;
      call.savedUnits = owed[index] ?? asked;
      call.savedAtMs = nowMs;
      if (call.savedUnits < asked) call.beginning.outsold();
    });
  }
}

function hasMoved({ beginning, savedUnits, savedAtMs }: Running, nowMs: number): boolean {
  return beginning.owed() !== savedUnits || Math.abs(nowMs - savedAtMs) >= renewMs;
}

function progressOf({ step, beginning }: Running, nowMs: number): CallProgress {
  const { units, atMs, window, periodStartMs, room } = beginning.usage(beginning.owed());
  const heldUnits = beginning.held();
  return { id: step.id, seenAtMs: nowMs, units, heldUnits, atMs, window, periodStartMs, room };
}

/** Calls of processes that crashed, some at a time: each is closed once, whoever is first. */
async function closeLeft({ store, ledger, host, recount }: Deps, findCrashed: RunnerWatch): Promise<void> {
  for (const crashed of findCrashed(await store.listCallRunners())) {
    const left = await store.listCallsOf(crashed, batchMax);
    if (left.length === 0) continue;
    await Promise.all(left.map((row) => ledger.record({ ...row, units: owedAfterCrash(row) })));
    recount();
    host.log.warn('closed calls that a crash had left open', { runner: crashed.runner, calls: left.length });
  }
}
