/** `/readyz` and the warnings of the real daemon. */

import { expect, it } from 'vitest';
import { openDaemon } from '../support/daemon.js';

it('is ready with usage of long ago that has only just been recorded', async () => {
  const daemon = await openDaemon();
  const { id } = await daemon.json<{ id: string }>('customers create --email ada@example.com --subscribe');
  daemon.emulator.account.faults.set({ resetBefore: 1 });
  const at = new Date(Date.now() - 2 * 3_600_000).toISOString();
  await daemon.json(`usage record --customer ${id} --units 5 --at ${at}`);
  const answer = await fetch(`${daemon.url}/readyz`);
  const { problems, details } = (await answer.json()) as {
    problems: string[];
    details: { outbox: { oldestPendingMs: number | null } };
  };
  expect(details.outbox.oldestPendingMs).toBeGreaterThan(3_600_000);
  expect(problems).toEqual([]);
  expect(answer.status).toBe(200);
});

it('warns of routes that nothing is sold by, as there is no upstream', async () => {
  const warnings = async (config: Record<string, unknown>) =>
    (await openDaemon({ config })).logged.map(({ message }) => message);
  expect(await warnings({ routes: [{ path: '/api/free', free: true }] })).toEqual([
    expect.stringContaining('there is none, and /api costs 1 unit'),
  ]);
  expect(await warnings({})).toEqual([]);
});

it('warns of routes where it answers itself', async () => {
  const { logged } = await openDaemon({
    config: {
      server: { upstream: 'http://127.0.0.1:9' },
      routes: [{ path: '/metrics' }, { path: '/v1/metrics' }, { path: '/usage/:day' }, { path: '/*rest' }],
    },
  });
  expect(logged.filter(({ message }) => message.includes('own pages'))).toEqual([
    expect.objectContaining({ fields: { paths: ['/metrics', '/usage/:day'] } }),
  ]);
});
