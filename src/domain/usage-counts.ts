/** What limits count from, and what tells that they must count anew. */

import type { Period } from './subscription.js';

/** Whose usage is asked for, by the storage engine's number. */
export interface UsageOwner {
  kind: 'key' | 'customer';
  no: number;
}

/** Which units are counted. */
export interface UsageCount {
  whose: UsageOwner;
  window: Period;
  /**
   * The meter's event name, where the window is the customer's billing period: then what counts is the usage that was stamped
   * with that period. Otherwise it is all usage of the window's time.
   */
  ofPeriod?: string | undefined;
}

/** What an owner has used in a window. */
export interface WindowSum {
  units: number;
  /** How many rows of the ledger were added up for it; none where roll-ups told all. */
  rows: number;
  /** The last row of the ledger that it was read with. */
  lastUsageId: number;
}

/** What a count comes to, at one moment. */
export interface UnitCount {
  /** In the ledger. */
  sum: WindowSum;
  /** Of calls that other processes run, or left behind in a crash: what they owe, and what they hold beyond that. */
  others: { owed: number; held: number };
  /** What `otherUsage` says at that moment. */
  asOf: number;
}

/** The counts of a storage engine. */
export interface UsageCounts {
  /** The customer's units in the billing period that starts at `periodStartMs`. */
  findPeriodUnits(customerNo: number, meter: string, periodStartMs: number): Promise<number>;
  /**
   * Counts units. `known` is an earlier sum of the same count: rows of the ledger never change, so what came since is added to
   * it where that is less work.
   */
  countUnits(count: UsageCount, known?: WindowSum): Promise<UnitCount>;
  /**
   * A number that grows when another process has written usage, or when what its calls owe or hold, or the time that they owe
   * it for, has changed; now and then it grows without need.
   */
  otherUsage(): Promise<number>;
  /**
   * Whose usage was recorded after this row of the ledger, as far as the next 2,000 rows tell; nobody's when there is none.
   * With the last row that was looked at, or the ledger's last one where there is no row to look at.
   */
  listUsedSince(usageId: number | undefined): Promise<{ customerIds: string[]; lastUsageId: number }>;
}
