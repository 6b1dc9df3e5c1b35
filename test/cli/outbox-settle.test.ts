/** `meterctl outbox settle`: the way out for what nothing else can settle. */

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createHost } from '../../src/host.js';
import { openStore } from '../../src/sqlite/store.js';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';
import { createFakeHost } from '../support/host.js';

interface Outcome {
  data: { id: string; settled: boolean; state: string | null; reason: string | null }[];
  outbox: { pending: number; delivered: number; refused: number; uncertain: number };
}

/** A delivery of which nobody knows whether it arrived. */
async function withUncertain() {
  const folder = createTestFolder();
  const line = createCommandLine(folder);
  await line.json('init --yes');
  const { id: customer } = await line.json<{ id: string }>(
    'customers create --email ada@example.com --subscribe',
  );
  const { id: usage } = await line.json<{ id: number }>(`usage record --customer ${customer} --units 7`);
  const host = createHost(createFakeHost().log);
  const store = await openStore({ path: join(folder, '.meterctl', 'meterctl.db'), host });
  const nowMs = host.clock.nowMs();
  await store.freezeDeliveries(nowMs, {});
  const [claimed] = await store.claimDeliveries({ nowMs, leaseMs: 60_000, limit: 1 });
  if (!claimed) throw new Error('There is one delivery, and it is due.');
  const outcome = { kind: 'uncertain', reason: 'nobody knows' } as const;
  await store.settleDeliveries([{ ...claimed, outcome }], nowMs);
  await store.close();
  return { ...line, customer, usage, id: claimed.id };
}

it('takes the word that it arrived', async () => {
  const { json, run, id } = await withUncertain();
  const tried = await run(`outbox retry ${id}`);
  expect(tried.out).toContain('outbox settle');
  expect(await json<Outcome>(`outbox settle ${id} --as delivered`)).toMatchObject({
    data: [{ id, settled: true, state: 'delivered', reason: null }],
    outbox: { delivered: 1, uncertain: 0 },
  });
  const { data } = await json<{ data: object[] }>('audit list');
  expect(data).toContainEqual(expect.objectContaining({ action: 'delivery.settled', subject: id }));
});

it('takes the word that it did not, and sends nothing before it is retried', async () => {
  const { json, run, id } = await withUncertain();
  const { code, out } = await run(`outbox settle ${id} dlv_none --as refused`);
  expect(code).toBe(4);
  expect(out).toContain('There is no such delivery.');
  expect((await json<Outcome>('outbox retry')).outbox).toMatchObject({ refused: 1, delivered: 0 });
  expect(await json<Outcome>(`outbox settle ${id} --as delivered`)).toMatchObject({
    data: [{ id, settled: false, state: 'refused' }],
  });
  expect(await json<Outcome>(`outbox retry ${id}`)).toMatchObject({ outbox: { refused: 0, delivered: 1 } });
});

it('must be told what to settle it as', async () => {
  const { run } = createCommandLine(createTestFolder());
  expect(await run('outbox settle dlv_1')).toMatchObject({ code: 2 });
  expect(await run('outbox settle dlv_1 --as pending')).toMatchObject({ code: 2 });
});

it('settles what a cancellation waits for, also where it was taken back meanwhile', async () => {
  const { json, run, customer, usage, id } = await withUncertain();
  expect(await json(['usage', 'void', String(usage), '--reason', 'a mistake'])).toMatchObject({
    how: 'negative',
  });
  const cancel = `customers cancel ${customer} --wait 1s --yes`;
  const { code, err } = await run(cancel);
  expect(err).toContain('It is not certain yet that Stripe has 2 deliveries');
  expect(code).toBe(7);
  await json(`outbox settle ${id} --as refused`);
  expect(await json(cancel)).toMatchObject({ status: 'inactive', pending_units: 0 });
});
