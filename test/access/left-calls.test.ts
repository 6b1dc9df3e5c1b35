/** Limits after a crash in the middle of calls whose units come last. */

import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { CallStep } from '../../src/domain/open-call.js';
import { createLedgerWriter } from '../../src/metering/ledger-writer.js';
import { createOpenCalls } from '../../src/metering/open-calls.js';
import { usageRow } from '../../src/metering/usage-row.js';
import { openStore } from '../../src/sqlite/store.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost } from '../support/host.js';
import { createProcesses } from '../support/processes.js';
import { addSubscriber } from '../support/store.js';
import { openOn } from './open-admission.js';

it('counts what crashed calls owe before they are closed, and once', async () => {
  const host = createFakeHost();
  const path = join(createTestFolder(), 'meterctl.db');
  const start = createProcesses(host);
  async function startProcess() {
    const process = start();
    const store = await openStore({ path, host: process.host });
    onTestFinished(() => store.close());
    const ledger = createLedgerWriter({ store, ...host });
    const admission = openOn({ store, host });
    const { recount } = admission;
    const calls = createOpenCalls({ store, ledger, host: process.host, recount });
    return { store, admission, calls, end: process.end };
  }
  const crashed = await startProcess();
  const { customer, key } = await addSubscriber(crashed.store, host);
  const limits = { quota: { units: 10, per: 'month' as const } };
  const act = { actor: 'system' as const, atMs: 0 };
  await crashed.store.recordLimits({ kind: 'customer', customerId: customer.id }, limits, act);
  await crashed.store.recordLimits({ kind: 'key', keyId: key.id }, limits, act);
  const usage = (units: number, call?: CallStep) => {
    const use = { customer, keyNo: key.no, route: 'GET /stream', units, atMs: host.clock.nowMs(), call };
    return usageRow(use, { meter: 'calls', windowMs: 2_000 });
  };
  const beginning = { usage, held: () => 0, outsold: () => undefined, settled: () => undefined };
  await crashed.calls.open({ ...beginning, owed: () => 4, onAbort: 'delivered' });
  await crashed.calls.open({ ...beginning, owed: () => 3, onAbort: 'none' });
  const next = await startProcess();
  const admit = async (units: number) => {
    const request = { caller: { customer, key }, priceId: 'price_1', units, atMs: host.clock.nowMs() };
    const decision = await next.admission.admit(request);
    if ('refused' in decision) return decision.refused;
    decision.release();
    return 'admitted';
  };
  expect(await admit(4)).toBe('quota_exceeded');
  expect(await admit(3)).toBe('admitted');
  crashed.end();
  await next.calls.tick();
  expect(await admit(7)).toBe('quota_exceeded');
  expect(await admit(6)).toBe('admitted');
  // Its own calls are held in memory, and are not counted twice.
  await next.calls.open({ ...beginning, owed: () => 6, onAbort: 'delivered' });
  next.admission.recount();
  expect(await admit(6)).toBe('admitted');
});
