/** What limits begin to count from, and what tells that they must begin anew. */

import type { Period } from './subscription.js';

/** Whose usage is asked for, by the storage engine's number. */
export interface UsageOwner {
  kind: 'key' | 'customer';
  no: number;
}

/** What an owner has used in a window. */
export interface WindowSum {
  units: number;
  /** How many rows of the ledger were added up for it; none where roll-ups told all. */
  rows: number;
  /** The last row of the ledger that it was read with. */
  lastUsageId: number;
}

/** The counts of a storage engine. */
export interface UsageCounts {
  /** The customer's units in the billing period that starts at `periodStartMs`. */
  findPeriodUnits(customerNo: number, meter: string, periodStartMs: number): Promise<number>;
  /**
   * All units of the owner in the window, whatever the meter. `known` is an earlier answer to the same question: rows of the
   * ledger never change, so what came since is added to it where that is less work.
   */
  sumWindow(whose: UsageOwner, window: Period, known?: WindowSum): Promise<WindowSum>;
  /**
   * A number that changes when another process has written usage, or when what its calls owe has changed; now and then it
   * changes without need.
   */
  otherUsage(): Promise<number>;
  /**
   * Whose usage was recorded after this row of the ledger, nobody's when there is none; at most 1,000 of them. With the
   * ledger's last row.
   */
  listUsedSince(usageId: number | undefined): Promise<{ customerIds: string[]; lastUsageId: number }>;
}
