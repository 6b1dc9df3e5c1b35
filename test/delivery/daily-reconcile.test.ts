/** The reconciliation that the daemon runs on its own. */

import { expect, it } from 'vitest';
import { createDailyReconcile, findLastReconciliation } from '../../src/delivery/daily-reconcile.js';
import { reconcilePaces } from '../../src/delivery/reconcile.js';
import { MeterctlError } from '../../src/domain/error.js';
import { openComparison } from './open-comparison.js';

const hourMs = 3_600_000;
const running = new AbortController().signal;

async function openDaily({ verified = true } = {}) {
  const comparison = await openComparison();
  const { store, billing, host } = comparison;
  const daily = createDailyReconcile({
    ...{ store, billing, host, meter: 'calls', pace: reconcilePaces.emulator },
    verify: async () => {
      if (!verified) throw new MeterctlError('conflict', 'another account');
    },
  });
  return { ...comparison, daily };
}

it('runs at first, then once a day, and remembers what it found', async () => {
  const { daily, store, use, send, foreign, wait, host } = await openDaily();
  expect(await findLastReconciliation(store)).toBeUndefined();
  await use(5);
  await send();
  wait(1);
  await daily.tick(running);
  const first = { atMs: host.clock.nowMs(), checked: 1, drift: {}, driftUnits: 0, repaired: 0 };
  expect(await findLastReconciliation(store)).toEqual(first);
  await foreign(3);
  wait(23 * hourMs);
  await daily.tick(running);
  expect(await findLastReconciliation(store)).toEqual(first);
  wait(hourMs);
  await daily.tick(running);
  expect(await findLastReconciliation(store)).toMatchObject({
    ...{ atMs: host.clock.nowMs(), drift: { more_at_stripe: 1 }, driftUnits: 3 },
  });
  expect(host.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
});

it('settles what is uncertain by comparison', async () => {
  const { daily, store, use, send, wait, faults } = await openDaily();
  await use(5);
  faults.set({ resetAfter: 1 });
  await send();
  wait(24 * hourMs);
  await send();
  faults.reset();
  expect(await store.countDeliveries(0)).toMatchObject({ uncertain: 1 });
  await daily.tick(running);
  expect(await store.countDeliveries(0)).toMatchObject({ uncertain: 0, delivered: 1 });
  expect(await findLastReconciliation(store)).toMatchObject({ repaired: 1, drift: {} });
});

it('runs again when the clock was ahead, and remembers nothing of a run that was ended early', async () => {
  const { daily, store, use, wait, host } = await openDaily();
  await use(1);
  await daily.tick(AbortSignal.abort());
  expect(await findLastReconciliation(store)).toBeUndefined();
  await daily.tick(running);
  wait(-2 * hourMs);
  await daily.tick(running);
  expect((await findLastReconciliation(store))?.atMs).toBe(host.clock.nowMs());
});

it('judges nothing before the account is verified', async () => {
  const { daily, store, use } = await openDaily({ verified: false });
  await use(1);
  await expect(daily.tick(running)).rejects.toThrow('another account');
  expect(await findLastReconciliation(store)).toBeUndefined();
});
