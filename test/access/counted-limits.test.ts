/** The counters that a caller's limits remember: no count may go on beside the one that everybody else reads. */

import { expect, it } from 'vitest';
import { callerLimits } from '../../src/access/caller-limits.js';
import { CountedLimits } from '../../src/access/counted-limits.js';
import { createCounters } from '../../src/access/counters.js';
import { perUnitTerms } from '../../src/lib/pricing.js';
import { createFakeHost } from '../support/host.js';
import { newUsage } from '../support/records.js';
import { addSubscriber, newStorePath, openTestStore } from '../support/store.js';

const hourMs = 3_600_000;

const price = { id: 'price_1', termsOf: () => perUnitTerms('5') };

async function open() {
  const host = createFakeHost();
  const path = newStorePath();
  const store = await openTestStore(host, path);
  const { customer, key } = await addSubscriber(store, host);
  const counters = createCounters({ store, clock: host.clock, meter: 'calls' });
  const limits = callerLimits(
    { key, customer },
    price,
    { key: undefined, customer: { quota: { units: 10, per: 'hour' } }, plan: undefined },
    {},
  );
  const limitsOfAnotherKey = { ...limits };
  return {
    ...{ host, store, path, counters, customer },
    mine: new CountedLimits(counters, limits),
    another: new CountedLimits(counters, limitsOfAnotherKey),
  };
}

/** The counters, read where memory does not have them. */
async function counted(limits: CountedLimits, atMs: number) {
  const found = limits.at(atMs);
  if (!(found instanceof Promise)) return found;
  await found;
  const read = limits.at(atMs);
  if (read instanceof Promise) throw new Error('what was read is not there');
  return read;
}

it('finds the same counters for all calls of an hour, and for all keys of a customer', async () => {
  const { host, mine, another } = await open();
  const atMs = Math.floor(host.clock.nowMs() / hourMs) * hourMs;
  const first = await counted(mine, atMs);
  expect(first).toHaveLength(1);
  expect(mine.at(atMs + hourMs - 1)).toBe(first);
  expect((await counted(another, atMs))[0]).toBe(first[0]);
  const next = await counted(mine, atMs + hourMs);
  expect(next[0]).not.toBe(first[0]);
});

it('asks again for a counter that has lost its place, also when the clock goes back to its time', async () => {
  const { host, mine, another } = await open();
  const atMs = host.clock.nowMs();
  const [old] = await counted(mine, atMs);
  await counted(another, atMs + hourMs);
  const [present] = await counted(mine, atMs);
  expect(present).not.toBe(old);
  expect((await counted(another, atMs))[0]).toBe(present);
});

it('tells as of when its counters are, also after another key had them read again', async () => {
  const { host, store, path, counters, customer, mine, another } = await open();
  const atMs = host.clock.nowMs();
  await counted(mine, atMs);
  await (await openTestStore(host, path)).recordUsage([newUsage(customer.no)], atMs);
  counters.expire();
  await counted(another, atMs);
  await counted(mine, atMs);
  expect(another.room?.asOf).toBe(await store.otherUsage());
  expect(mine.room?.asOf).toBe(another.room?.asOf);
});

it('follows a billing period whose end is moved', async () => {
  const { host, counters, customer } = await open();
  const atMs = host.clock.nowMs();
  const endingAt = (endMs: number) => {
    const subscriptions = customer.subscriptions.map((subscription) => ({
      ...subscription,
      period: { startMs: atMs - hourMs, endMs },
    }));
    const found = {
      key: undefined,
      plan: undefined,
      customer: { quota: { units: 10, per: 'period' } },
    } as const;
    const limits = callerLimits({ customer: { ...customer, subscriptions } }, price, found, {});
    return new CountedLimits(counters, limits);
  };
  const [long] = await counted(endingAt(atMs + 3 * hourMs), atMs);
  const shortened = endingAt(atMs + hourMs);
  const [short] = await counted(shortened, atMs);
  expect(short).toBe(long);
  expect(short?.endMs).toBe(atMs + hourMs);
  expect((await counted(shortened, atMs + hourMs))[0]?.startMs).toBe(atMs + hourMs);
});

it('asks again for a counter that made place for others, unless calls use it', async () => {
  const { host, counters, customer, mine, another } = await open();
  const atMs = host.clock.nowMs();
  const window = { startMs: 0, endMs: 8.64e15 };
  const read = async (from: number, to: number) => {
    for (let no = from; no < to; no += 1) {
      await counters.load({ kind: 'customer', no: customer.no + no, id: `cus_${no}` }, 'prepaid', window);
    }
  };
  const [first] = await counted(mine, atMs);
  await read(1, 50_010);
  expect((await counted(mine, atMs))[0]).toBe(first);
  // Nobody asks while all of them pass by twice.
  await read(50_010, 130_000);
  const [again] = await counted(mine, atMs);
  expect(again).not.toBe(first);
  expect((await counted(another, atMs))[0]).toBe(again);
}, 60_000);
