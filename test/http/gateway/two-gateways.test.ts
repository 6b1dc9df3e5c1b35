/** Two gateways on one database, before an upstream that tells the cost of a call late: limits hold for both together. */

import { expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { openEvents, openGateway, openUpstream, readAll } from './open-gateway.js';

const probe = { path: '/probe', units: 0 };

async function openTwo(upstream: string, config: Record<string, unknown>) {
  const one = await openGateway(upstream, config);
  const two = await one.openSecond();
  const ask = (url: string, path: string) => fetch(`${url}${path}`, { headers: { 'x-api-key': one.key } });
  return {
    one,
    both: [one.url, two].map((url) => (path: string) => ask(url, path)),
    units: async () => (await one.usage()).units,
  };
}

it('sell what fits of answers that tell their cost, and bill nothing else', async () => {
  const upstream = await openUpstream((_req, res) => {
    setImmediate(() => res.setHeader('Meterctl-Units', '7').end('worth seven'));
  });
  const { both, units } = await openTwo(upstream, { routes: [probe], limits: { quota: '100/month' } });
  const answers = await Promise.all(
    both.flatMap((call) => Array.from({ length: 30 }, () => call(`/api?${Math.random()}`))),
  );
  const sold = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 429);
  expect([sold.length, refused.length]).toEqual([14, 46]);
  expect(await units()).toBe(98);
  for (const answer of refused) {
    expect(await answer.json()).toMatchObject({ code: 'quota_exceeded' });
    expect(answer.headers.get('meterctl-units')).toBe('0');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(answer.headers.get('x-ratelimit-remaining'))).toBeLessThan(7);
  }
});

it.each(['delivered', 'none'])('cut streams off when all is used up, to the unit (%s)', async (onAbort) => {
  const { both, units } = await openTwo(await openEvents(), {
    routes: [{ path: '/events', units: { by: 'events' }, onAbort }, probe],
    limits: { quota: '5000/month' },
  });
  await Promise.all(both.flatMap((call) => [1, 2].map(async () => readAll(await call('/events')))));
  await eventually(async () => expect(await units()).toBe(5_000));
  await eventually(async () => {
    for (const call of both) expect((await call('/events')).status).toBe(429);
  });
  expect(await units()).toBe(5_000);
});

it('leave each other what a running call holds', async () => {
  const ends: (() => void)[] = [];
  const upstream = await openUpstream((req, res) => {
    if (req.url === '/probe') return void res.end();
    res.setHeader('content-type', 'text/event-stream').write('data: x\n\n');
    ends.push(() => res.end());
  });
  const routes = [{ path: '/events', units: { by: 'events' }, reserveUnits: 300 }, probe];
  const { both, units } = await openTwo(upstream, { routes, limits: { quota: '500/month' } });
  const [here, elsewhere] = both as [
    (path: string) => Promise<Response>,
    (path: string) => Promise<Response>,
  ];
  // Both know of no usage yet.
  expect((await elsewhere('/probe')).headers.get('x-ratelimit-remaining')).toBe('500');
  const running = await here('/events');
  const refused = await elsewhere('/events');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('x-ratelimit-remaining')).toBe('200');
  ends[0]?.();
  expect(await running.text()).toBe('data: x\n\n');
  await eventually(async () =>
    expect((await elsewhere('/probe')).headers.get('x-ratelimit-remaining')).toBe('499'),
  );
  expect(await units()).toBe(1);
});

it('ask the upstream once for calls under one Idempotency-Key', async () => {
  const waiting: (() => void)[] = [];
  const upstream = await openUpstream((req, res) => {
    waiting.push(() => {
      if (req.url === '/api/down') res.statusCode = 500;
      res.end(`run ${waiting.length}`);
    });
  });
  const one = await openGateway(upstream, {});
  const urls = [one.url, await one.openSecond()];
  const ask = (url: string | undefined, path: string, method = 'GET') =>
    fetch(`${url}${path}`, { method, headers: { 'x-api-key': one.key, 'idempotency-key': path } });
  const running = ask(urls[0], '/api/slow');
  await eventually(async () => expect(waiting).toHaveLength(1));
  for (const url of urls) {
    const concurrent = await ask(url, '/api/slow');
    expect([concurrent.status, await concurrent.json()]).toMatchObject([
      409,
      { code: 'idempotency_in_progress' },
    ]);
    const other = await ask(url, '/api/slow', 'DELETE');
    expect([other.status, await other.json()]).toMatchObject([422, { code: 'idempotency_key_mismatch' }]);
  }
  waiting[0]?.();
  expect(await (await running).text()).toBe('run 1');
  for (const url of urls) {
    const repeat = await ask(url, '/api/slow');
    expect([repeat.headers.get('idempotent-replayed'), await repeat.text()]).toEqual(['true', 'run 1']);
  }
  // What was not billed may be asked for again, by whoever comes.
  const failed = ask(urls[0], '/api/down');
  await eventually(async () => expect(waiting).toHaveLength(2));
  expect((await ask(urls[1], '/api/down')).status).toBe(409);
  waiting[1]?.();
  expect((await failed).status).toBe(500);
  const again = ask(urls[1], '/api/down');
  await eventually(async () => expect(waiting).toHaveLength(3));
  waiting[2]?.();
  expect((await again).status).toBe(500);
  expect(await one.usage()).toEqual({ units: 1, requests: 1 });
});
