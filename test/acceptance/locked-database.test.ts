/** Another process keeps the database locked: the daemon answers all that needs no write, and calls are served after it. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { openSubscribedProgram } from '../support/subscribed-program.js';

function openOther(folder: string): Sqlite.Database {
  const other = new Sqlite(join(folder, '.meterctl', 'meterctl.db'));
  onTestFinished(() => void other.close());
  return other;
}

it('a daemon goes on while the database is locked, and serves the call that waits', async () => {
  const { program, key } = await openSubscribedProgram();
  const { url, stop } = await program.serve();
  const headers = { authorization: `Bearer ${key}` };
  const call = () => fetch(`${url}/api`, { headers }).then(({ status }) => status);
  expect(await call()).toBe(200);

  const other = openOther(program.folder);
  other.exec('BEGIN IMMEDIATE');
  const answered: number[] = [];
  const calls = [call(), call()].map((calling) => calling.then((status) => answered.push(status)));
  for (let asked = 0; asked < 20; asked += 1) {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await sleep(50);
  }
  expect(answered).toEqual([]);
  other.exec('COMMIT');
  await Promise.all(calls);
  expect(answered).toEqual([200, 200]);
  expect(await program.json(['usage'])).toMatchObject({ total: { units: 3 } });
  expect(await stop()).toBe(0);
});

it('a command waits for the lock, and says so when it does not come', async () => {
  const { program } = await openSubscribedProgram();
  const { data } = await program.json<{ data: { id: string }[] }>(['customers', 'list']);
  const limit = (quota: string) =>
    program.run(['limits', 'set', data[0]?.id ?? '', '--quota', quota, '--json']);
  const other = openOther(program.folder);
  other.exec('BEGIN IMMEDIATE');
  const refused = await limit('5/month');
  expect(refused.code).toBe(7);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    error: { code: 'unavailable', message: expect.stringContaining('locked by another process') },
  });
  const waiting = limit('6/month');
  await sleep(1_000);
  other.exec('COMMIT');
  expect((await waiting).code).toBe(0);
});
