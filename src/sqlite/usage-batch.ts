/** Groups a batch of usage by the rows that it shares, so that many calls of one customer cost few statements. */

import type { NewUsage } from '../domain/usage.js';

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
  /** What was stored for the group: a delivery's number, or the units of a period as they stand after an entry. */
  stored: number;
}

/** Where one entry was added. */
export interface EntryGroups {
  delivery: Group;
  period: Group;
}

/** Groups by the table that they share a row of, in the order in which they were added. */
interface Groups {
  readonly deliveries: Group[];
  readonly periods: Group[];
}

/** A batch, grouped. */
export interface Batch extends Groups {
  /** The same groups by customer: of each there are so few that they are compared one by one, which is faster than any key. */
  readonly ofCustomer: Map<number, Groups>;
}

/** An empty batch. */
export function createBatch(): Batch {
  return { deliveries: [], periods: [], ofCustomer: new Map() };
}

/** Adds one entry to its groups. Returns the group of its delivery and that of its period. */
export function addToBatch(batch: Batch, entry: Entry): EntryGroups {
  const { customerNo } = entry.usage;
  let own = batch.ofCustomer.get(customerNo);
  if (!own) {
    own = noGroups();
    batch.ofCustomer.set(customerNo, own);
  }
  return {
    delivery: addToGroup(batch.deliveries, own.deliveries, sameDelivery, entry),
    period: addToGroup(batch.periods, own.periods, samePeriod, entry),
  };
}

/** The group of the entry's period, if anything of it is in the batch. */
export function periodInBatch(batch: Batch, entry: Entry): Group | undefined {
  return batch.ofCustomer.get(entry.usage.customerNo)?.periods.find(({ first }) => samePeriod(first, entry));
}

/** Whether two entries of one customer share a row. */
type Same = (one: Entry, other: Entry) => boolean;

const samePeriod: Same = (one, other) =>
  one.usage.periodStartMs === other.usage.periodStartMs && one.meterNo === other.meterNo;

const sameDelivery: Same = (one, other) =>
  one.usage.window.startMs === other.usage.window.startMs &&
  one.usage.window.endMs === other.usage.window.endMs &&
  samePeriod(one, other);

function addToGroup(all: Group[], own: Group[], same: Same, entry: Entry): Group {
  let group = own.find(({ first }) => same(first, entry));
  if (!group) {
    group = { first: entry, stored: 0 };
    own.push(group);
    all.push(group);
  }
  return group;
}

function noGroups(): Groups {
  return { deliveries: [], periods: [] };
}
