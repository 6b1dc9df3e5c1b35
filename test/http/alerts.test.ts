/** Alerts of the running daemon: from calls and from recorded usage to a program that is run for each. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDaemon } from '../support/daemon.js';
import { eventually } from '../support/eventually.js';
import { createTestFolder } from '../support/folder.js';

it('tells each threshold once, for calls and for what was recorded without one', async () => {
  const path = join(createTestFolder(), 'told');
  const script = `require('fs').appendFileSync(process.argv[1], require('fs').readFileSync(0))`;
  const daemon = await openDaemon({
    config: {
      limits: { quota: '10/period' },
      alerts: { thresholds: [100, 50], command: [process.execPath, '-e', script, path] },
    },
  });
  const told = () =>
    readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { data: Record<string, unknown> }).data);
  const { id: ada } = await daemon.json<{ id: string }>(
    'customers create --email ada@example.com --subscribe',
  );
  const { key } = await daemon.json<{ key: string }>(`keys create --customer ${ada}`);
  const call = () => fetch(`${daemon.url}/api`, { headers: { 'x-api-key': key } });
  for (let count = 0; count < 7; count += 1) await call();
  await eventually(async () =>
    expect(told()).toEqual([
      expect.objectContaining({
        ...{ customer: ada, meter: 'fire_api_calls', limit: 'quota', threshold: 50, used: 5, allowed: 10 },
        period: { start: expect.any(String), end: expect.any(String) },
      }),
    ]),
  );
  const { id: bob } = await daemon.json<{ id: string }>(
    'customers create --email bob@example.com --subscribe',
  );
  await daemon.json(`usage record --customer ${bob} --units 12`);
  await eventually(async () =>
    expect(
      told()
        .slice(1)
        .sort((a, b) => Number(a.threshold) - Number(b.threshold)),
    ).toEqual([
      expect.objectContaining({ customer: bob, threshold: 50, used: 12 }),
      expect.objectContaining({ customer: bob, threshold: 100, used: 12 }),
    ]),
  );
  const { data } = await daemon.json<{ data: unknown[] }>(`alerts list --customer ${bob}`);
  expect(data).toHaveLength(2);
  await eventually(async () => {
    const listed = await daemon.json<{ data: unknown[] }>(`alerts list --customer ${ada}`);
    expect(listed.data).toEqual([
      expect.objectContaining({
        ...{ customer: ada, threshold: 50 },
        sends: [{ sink: 'command', state: 'sent', attempts: 1, next_attempt_at: null, reason: null }],
      }),
    ]);
  });
});
