/** A call that is answered already while its units are not known yet: on disk, so that a crash neither loses nor doubles it. */

import type { AbortPolicy } from './route.js';
import type { SeenRunner } from './runner.js';
import type { NewUsage } from './usage.js';

/** Says that a usage belongs to a call that was, or is, open. */
export interface CallStep {
  /** `call_…`. */
  id: string;
  /**
   * `open`: the call begins, and nothing is added to the ledger. `over`: the usage is recorded in the commit that closes
   * the call, and only while it is open: once.
   */
  step: 'open' | 'over';
  /** How many units the call holds of its limits from the beginning, where that is more than it owes. */
  heldUnits?: number | undefined;
  /** What is owed when nobody closes it. */
  onAbort: AbortPolicy;
  /** The machine's time: whoever runs the call says every few seconds that it does. */
  seenAtMs: number;
}

/** How far a call has come. */
export type CallProgress = Pick<NewUsage, 'units' | 'atMs' | 'window' | 'periodStartMs' | 'room'> & {
  id: string;
  /** How many units the call holds of its limits. */
  heldUnits: number;
  seenAtMs: number;
};

/** A call as it was last seen. */
export type OpenCallRow = NewUsage & { call: CallStep };

/** Calls that run. They begin and end with `recordUsage`. */
export interface OpenCallStore {
  /**
   * Notes how far calls have come. One that is not open any more stays so. Returns what each of them owes: less than it asked
   * for where the limits have no room for more.
   */
  recordProgress(calls: readonly CallProgress[]): Promise<number[]>;
  /** Who else runs calls, or has left some in a crash, and when it was last seen. */
  listCallRunners(): Promise<SeenRunner[]>;
  /** The runner's calls, what was seen last at the end; none where it was seen since. */
  listCallsOf(runner: SeenRunner, limit: number): Promise<OpenCallRow[]>;
}

/** What is owed for a call that nobody closes any more, as far as it had come. */
export function owedAfterCrash({ units, call }: OpenCallRow): number {
  return call.onAbort === 'none' ? 0 : units;
}
