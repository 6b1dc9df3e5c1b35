/** Adds up a batch of usage by the rows that it shares, so that many calls of one customer cost few statements. */

import type { NewUsage } from '../domain/usage.js';

const DAY_MS = 86_400_000;

/** One usage with the numbers of its names. */
export interface Entry {
  readonly usage: NewUsage;
  readonly meterNo: number;
  readonly routeNo: number;
}

/** Entries of a batch that share one row of some table. */
export interface Group {
  /** Stands for all of them in what they share. */
  readonly first: Entry;
  units: number;
  /** Corrections are none. */
  requests: number;
  /** What was stored for the group: a delivery's number, or the units of a period as they stand after an entry. */
  stored: number;
}

/** Where one entry was added. */
export interface EntryGroups {
  delivery: Group;
  period: Group;
}

/** A batch, added up. Maps keep the order in which groups were added. */
export interface Batch {
  readonly deliveries: Map<string, Group>;
  readonly days: Map<string, Group>;
  readonly periods: Map<string, Group>;
}

/** An empty batch. */
export function createBatch(): Batch {
  return { deliveries: new Map(), days: new Map(), periods: new Map() };
}

/** The UTC day, counted from 1970. Computed here because a number that is bound to SQL divides as a float there. */
export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

/** The key of the entry's period in `periods`. */
export function periodKey({ usage, meterNo }: Entry): string {
  return `${usage.customerNo} ${meterNo} ${usage.periodStartMs}`;
}

/** Adds one entry to its groups. Returns the group of its delivery and that of its period. */
export function addToBatch(batch: Batch, entry: Entry): EntryGroups {
  const { usage, routeNo } = entry;
  const period = periodKey(entry);
  addToGroup(batch.days, `${dayOf(usage.atMs)} ${usage.customerNo} ${usage.keyNo ?? 0} ${routeNo}`, entry);
  return {
    delivery: addToGroup(batch.deliveries, `${period} ${usage.window.startMs} ${usage.window.endMs}`, entry),
    period: addToGroup(batch.periods, period, entry),
  };
}

function addToGroup(groups: Map<string, Group>, key: string, entry: Entry): Group {
  let group = groups.get(key);
  if (!group) {
    group = { first: entry, units: 0, requests: 0, stored: 0 };
    groups.set(key, group);
  }
  group.units += entry.usage.units;
  group.requests += entry.usage.units < 0 ? 0 : 1;
  return group;
}
