/** Units that keys and customers have used in the present hour, month, period: read from the ledger once, then counted along. */

import type { QuotaSpan } from '../domain/limit.js';
import type { UsageStore } from '../domain/store.js';
import type { Period } from '../domain/subscription.js';
import type { UsageCount, UsageOwner, WindowSum } from '../domain/usage-counts.js';
import type { Clock } from '../lib/host.js';
import { turn } from '../lib/turn.js';

/** Whose units are counted. */
export interface Counted extends UsageOwner {
  id: string;
}

/** What units are counted over. */
export type CountedSpan = QuotaSpan | 'prepaid';

/** The units of one window. */
export interface Counter extends Period {
  span: CountedSpan;
  /** In the ledger. */
  committed: number;
  /** Held by calls that are not decided yet. */
  reserved: number;
  /** Held by calls of other processes, beyond what they owe already. */
  heldByOthers: number;
  /** What `otherUsage` said when it was read. */
  asOf: number;
  /** How many calls run that were let in by it, or have gone over to it; they may hold nothing of it yet. */
  calls: number;
  /** False once the ledger may say something else, or another counter has taken this one's place. */
  fresh: boolean;
  /** Whether it was asked for since the broom came by. */
  recent: boolean;
  /** What the ledger said of the window last, where it was summed up. */
  summed: WindowSum | undefined;
}

/** Counts by whom and by span. */
export interface Counters {
  /** What the ledger counts for it. */
  countOf(whose: Counted, span: CountedSpan, window: Period): UsageCount;
  /** The counter, if memory has it for this window and it is fresh. */
  find(whose: Counted, span: CountedSpan, window: Period): Counter | undefined;
  /** Reads the counter from the ledger. Rejects with `unavailable` when that cannot be read. */
  load(whose: Counted, span: CountedSpan, window: Period): Promise<void>;
  /**
   * The ledger has so many units more of a key and its customer, used at that time, and these counters have them. So have all
   * others from now on: limits that did not hold for the call may hold for the next one.
   */
  note(keyNo: number, customerNo: number, units: number, atMs: number, counted: readonly Counter[]): void;
  /** Has everything read again before it is used next. What is reserved stays. */
  expire(): void;
}

/** All counters of one key or customer: the present window of each span, and earlier ones as long as calls run that count there. */
type Tally = Counter[];

type UnitsRead = Pick<Counter, 'committed' | 'heldByOthers' | 'asOf' | 'summed'>;

/** So many keys and as many customers are held; whoever was not seen lately is read again. */
const talliesMax = 50_000;

/** So many are looked at for a place when there is none. */
const sweepMax = 8;

/** What counts are read from. */
export type CountStore = Pick<UsageStore, 'countUnits'>;

/** Makes empty counters. */
export function createCounters(deps: { store: CountStore; clock: Clock; meter: string }): Counters {
  const tallies = { key: new Map<number, Tally>(), customer: new Map<number, Tally>() };
  const reading = new Map<string, Promise<void>>();

  function tallyOf({ kind, no }: Counted): Tally {
    const known = tallies[kind].get(no);
    if (known) return known;
    const tally: Tally = [];
    tallies[kind].set(no, tally);
    if (tallies[kind].size > talliesMax) sweep(tallies[kind]);
    return tally;
  }

  function countOf({ kind, no }: Counted, span: CountedSpan, window: Period): UsageCount {
    const ofPeriod = kind === 'customer' && span === 'period' ? deps.meter : undefined;
    return { whose: { kind, no }, window, ofPeriod };
  }

  async function read(whose: Counted, span: CountedSpan, window: Period): Promise<void> {
    // A turn of its own: by then every call that the last commit holds has been counted, and none is counted twice. The
    // store answers in the order of its commits, so that holds until its answer is here, too.
    await turn(deps.clock);
    const before = tallies[whose.kind].get(whose.no);
    const last = before && counterOf(before, span, window);
    const known = last?.endMs === window.endMs ? last.summed : undefined;
    const units = await unitsOf(deps.store, countOf(whose, span, window), known);
    keep(tallyOf(whose), span, window, units);
  }

  return {
    countOf,
    find(whose, span, window) {
      const tally = tallies[whose.kind].get(whose.no);
      const counter = tally && counterOf(tally, span, window);
      // A trial that was made longer or shorter is a period that begins as before and ends at another time.
      if (!counter?.fresh || counter.endMs !== window.endMs) return undefined;
      counter.recent = true;
      return counter;
    },
    load(whose, span, window) {
      const name = `${whose.kind} ${whose.no} ${span} ${window.startMs} ${window.endMs}`;
      const running = reading.get(name);
      if (running) return running;
      const started = read(whose, span, window).finally(() => reading.delete(name));
      reading.set(name, started);
      return started;
    },
    note(keyNo, customerNo, units, atMs, counted) {
      addTo(tallies.key.get(keyNo), units, atMs, counted);
      addTo(tallies.customer.get(customerNo), units, atMs, counted);
    },
    expire() {
      for (const some of [tallies.key, tallies.customer]) {
        for (const tally of some.values()) retire(tally);
      }
    },
  };
}

function counterOf(tally: Tally, span: CountedSpan, { startMs }: Period): Counter | undefined {
  return tally.find((counter) => counter.span === span && counter.startMs === startMs);
}

/** Adds units to the counters of the time that do not have them. Written out, as it runs for every call. */
function addTo(tally: Tally | undefined, units: number, atMs: number, counted: readonly Counter[]): void {
  if (!tally) return;
  for (const counter of tally) {
    const isItsTime = atMs >= counter.startMs && atMs < counter.endMs;
    if (isItsTime && !counted.includes(counter)) counter.committed += units;
  }
}

/** Keeps what was read of a window, in its counter or in a new one, which takes the place of earlier windows. */
function keep(tally: Tally, span: CountedSpan, window: Period, units: UnitsRead): void {
  const { endMs } = window;
  const counter = counterOf(tally, span, window);
  if (counter) {
    Object.assign(counter, units, { endMs, fresh: true });
    return;
  }
  const others = tally.filter((other) => other.span !== span || other.calls > 0);
  retire(tally.filter((other) => !others.includes(other)));
  tally.splice(0, tally.length, ...others, newCounter(span, window, units));
}

/** Whoever remembers these asks again. */
function retire(counters: readonly Counter[]): void {
  for (const counter of counters) counter.fresh = false;
}

/** Written out, so that all counters have the same shape: they are read for every call. */
function newCounter(span: CountedSpan, { startMs, endMs }: Period, units: UnitsRead): Counter {
  return {
    startMs,
    endMs,
    span,
    committed: units.committed,
    reserved: 0,
    heldByOthers: units.heldByOthers,
    asOf: units.asOf,
    calls: 0,
    fresh: true,
    recent: true,
    summed: units.summed,
  };
}

/** What is in the ledger, and what calls owe already that this process does not run: after a crash they are still to come. */
async function unitsOf(
  store: CountStore,
  count: UsageCount,
  known: WindowSum | undefined,
): Promise<UnitsRead> {
  const { sum, others, asOf } = await store.countUnits(count, known);
  return { committed: sum.units + others.owed, heldByOthers: others.held, asOf, summed: sum };
}

/**
 * Takes a place back, looking at the oldest first: one that was asked for lately gets another round, one that calls
 * count in stays. All of it can be read again.
 */
function sweep(tallies: Map<number, Tally>): void {
  let looks = 0;
  for (const [no, tally] of tallies) {
    tallies.delete(no);
    if (!tally.some(({ recent, calls }) => recent || calls > 0)) {
      retire(tally);
      return;
    }
    for (const counter of tally) counter.recent = false;
    tallies.set(no, tally);
    looks += 1;
    if (looks === sweepMax) return;
  }
}
