/** A clock that is set back makes stamps worthless: for every process on the database, and whatever is taken back meanwhile. */

import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../src/domain/store.js';
import { openStore } from '../../src/sqlite/store.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost, type FakeHost } from '../support/host.js';
import { newUsage } from '../support/records.js';
import { addSubscriber } from '../support/store.js';

const hour = 3_600_000;
const claim = { leaseMs: 30_000, limit: 10 };

/** One process: its own clock, and its own connection to the database. */
async function openProcess(path: string, nowMs?: number): Promise<{ host: FakeHost; store: Store }> {
  const host = createFakeHost(nowMs === undefined ? {} : { nowMs });
  const store = await openStore({ path, host });
  onTestFinished(() => store.close());
  return { host, store };
}

/** Somebody who sent at `aheadMs`, by a clock that was a day ahead, and never learned what came of it. */
async function setUp() {
  const path = join(createTestFolder(), 'meterctl.db');
  const { host, store } = await openProcess(path);
  const rightMs = host.clock.nowMs();
  const aheadMs = rightMs + 24 * hour;
  const { customer } = await addSubscriber(store, host);
  const usage = newUsage(customer.no, { idempotencyKey: undefined, atMs: rightMs });
  await store.recordUsage([usage], rightMs);
  host.jump(aheadMs);
  await store.freezeDeliveries(aheadMs, {});
  expect(await store.claimDeliveries({ ...claim, nowMs: aheadMs })).toHaveLength(1);
  return { path, host, store, rightMs, aheadMs, usage };
}

async function sinceWhenUnknown(store: Store): Promise<number | null | undefined> {
  return (await store.listDeliveries({}, { limit: 10 })).data[0]?.unknownSinceMs;
}

describe('a clock that is set back', () => {
  it('is noticed by the next process to write, if not by the one that ends', async () => {
    const { path, store, aheadMs } = await setUp();
    const { store: next } = await openProcess(path, aheadMs - hour);
    expect(await sinceWhenUnknown(next)).toBe(aheadMs);
    await next.recordMark('anything', 'written');
    expect(await sinceWhenUnknown(store)).toBe(0);
  });

  it('is noticed again when what noticed it was taken back', async () => {
    const { host, store, rightMs, aheadMs, usage } = await setUp();
    host.jump(rightMs);
    await expect(store.recordUsage([{ ...usage, units: 0.5 }], rightMs)).rejects.toThrow();
    expect(await sinceWhenUnknown(store)).toBe(aheadMs);
    await store.recordMark('anything', 'written');
    expect(await sinceWhenUnknown(store)).toBe(0);
  });

  it('is no cause for doubt when it was ahead by minutes', async () => {
    const { host, store, aheadMs } = await setUp();
    host.jump(aheadMs - 9 * 60_000);
    await store.recordMark('anything', 'written');
    expect(await sinceWhenUnknown(store)).toBe(aheadMs);
  });
});
