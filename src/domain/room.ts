/** Room: what the ledger must still leave when a usage is written, should other processes have written in between. */

import type { Period } from './subscription.js';
import type { UsageCount, WindowSum } from './usage-counts.js';

/** The room that the calls of a caller need. */
export interface Room {
  /** What `otherUsage` said of the counts by which the call was let in: as long as it says the same, it fits. */
  asOf: number;
  bounds: readonly RoomBound[];
}

/** A bound on one count. */
export interface RoomBound {
  /** The count that usage of a time belongs to. */
  countAt(atMs: number): UsageCount;
  /** An earlier sum of the count in this window. */
  knownSum(window: Period): WindowSum | undefined;
  /** How many units may be counted in all, when so many are. */
  unitsMax(committed: number): number;
}
