/** Limits before an upstream that tells the cost of a call late: nothing goes beyond them, and what is refused costs nothing. */

import { describe, expect, it } from 'vitest';
import { breakLedger } from '../../support/broken-ledger.js';
import { eventually } from '../../support/eventually.js';
import { openEvents, openGateway, openUpstream, readAll, sendRaw, type TestGateway } from './open-gateway.js';

async function limit(gateway: TestGateway, ...options: string[]): Promise<void> {
  await gateway.json(`limits set ${gateway.customerId} ${options.join(' ')}`);
  await eventually(async () => {
    expect((await gateway.call('/probe')).headers.has('ratelimit')).toBe(true);
  });
}

const probe = { path: '/probe', units: 0 };

describe('a limit before an upstream', () => {
  it('lets out what fits of answers that tell their cost, and bills nothing else', async () => {
    let runs = 0;
    const upstream = await openUpstream((_req, res) => {
      runs += 1;
      setImmediate(() => res.setHeader('Meterctl-Units', '7').end('worth seven'));
    });
    const gateway = await openGateway(upstream, { routes: [probe] });
    await limit(gateway, '--quota 100/month');
    runs = 0;
    const answers = await Promise.all(Array.from({ length: 80 }, () => gateway.call('/api')));
    const sold = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 429);
    expect([sold.length, refused.length]).toEqual([14, 66]);
    expect(runs).toBeGreaterThan(14);
    expect((await gateway.usage()).units).toBe(98);
    const problem = await refused.at(-1)!.json();
    expect(problem).toMatchObject({ code: 'quota_exceeded' });
    expect(refused.at(-1)!.headers.get('meterctl-units')).toBe('0');
    expect(Number(refused.at(-1)!.headers.get('retry-after'))).toBeGreaterThan(0);
    // What was held is given back: two units are left, and a call that costs no more than them would have them.
    const next = await gateway.call('/api');
    expect(next.headers.get('x-ratelimit-remaining')).toBe('2');
  });

  it('takes nothing of any limit from a call that it refuses by its cost', async () => {
    const upstream = await openUpstream((req, res) => {
      setImmediate(() => res.setHeader('Meterctl-Units', req.url === '/dear' ? '11' : '1').end());
    });
    const gateway = await openGateway(upstream, {
      routes: [{ path: '/dear' }, { path: '/cheap' }],
      limits: { quota: '10/hour', rate: '5/h', maxInFlight: 3, spendCap: '10.00' },
    });
    for (let round = 0; round < 4; round += 1) {
      const answers = await Promise.all([1, 2, 3].map(() => gateway.call('/dear')));
      for (const answer of answers) expect(await answer.json()).toMatchObject({ code: 'quota_exceeded' });
    }
    const statuses: number[] = [];
    for (let call = 0; call < 6; call += 1) statuses.push((await gateway.call('/cheap')).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    expect((await gateway.usage()).units).toBe(5);
  });

  it('is told as it stands when an answer is not billed: the call holds nothing any more', async () => {
    const upstream = await openUpstream((req, res) => {
      res.writeHead(req.url === '/fails' ? 500 : 200).end();
    });
    const gateway = await openGateway(upstream, {
      routes: [{ path: '/fails', units: 7 }, { path: '/works' }],
      limits: { quota: '10/hour' },
    });
    expect((await gateway.call('/fails')).headers.get('x-ratelimit-remaining')).toBe('10');
    expect((await gateway.call('/works')).headers.get('x-ratelimit-remaining')).toBe('9');
  });

  it.each([
    ['is known', {}],
    ['is told at the end', { units: { by: 'events' } }],
  ])(
    'takes nothing of a rate from calls that cannot be recorded, where their cost %s',
    async (_when, rule) => {
      const upstream = await openUpstream((_req, res) => res.end('data: x\n\n'));
      const gateway = await openGateway(upstream, {
        routes: [{ path: '/api', ...rule }],
        limits: { rate: '3/h' },
      });
      expect((await gateway.call('/api')).status).toBe(200);
      const mend = breakLedger(gateway.databasePath);
      for (let call = 0; call < 4; call += 1) expect((await gateway.call('/api')).status).toBe(502);
      mend();
      const statuses: number[] = [];
      for (let call = 0; call < 3; call += 1) statuses.push((await gateway.call('/api')).status);
      expect(statuses).toEqual([200, 200, 429]);
    },
  );

  const limitFields = [
    'RateLimit-Policy',
    'RateLimit',
    'X-RateLimit-Limit',
    'X-RateLimit-Remaining',
    'X-RateLimit-Reset',
  ];

  it.each(limitFields)('is what clients are told of, not what the upstream says in %s', async (field) => {
    const upstream = await openUpstream((_req, res) => {
      res.setHeader(field, 'theirs').setHeader('Set-Cookie', ['a=1', 'b=2']);
      res.setHeader('Trailer', field).write('x');
      res.addTrailers({ [field]: 'theirs' });
      res.end();
    });
    const gateway = await openGateway(upstream, { routes: [probe] });
    const told = async (key: string) => {
      const { status, headers } = await gateway.call('/api', { headers: { 'idempotency-key': key } });
      expect([status, headers.getSetCookie()]).toEqual([200, ['a=1', 'b=2']]);
      return headers.get(field);
    };
    expect([await told('one'), await told('one')]).toEqual(['theirs', 'theirs']);
    await gateway.json(`limits set ${gateway.customerId} --quota 5000/month`);
    const ours = /^("quota";[^,]*|\d+)$/;
    await eventually(async () => expect(await told('one')).toMatch(ours));
    expect(await told('two')).toMatch(ours);
    const raw = await sendRaw(
      gateway.url,
      `GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\nConnection: close\r\n\r\n`,
    );
    expect(raw.match(new RegExp(`^${field}:`, 'gim'))).toHaveLength(1);
  });

  it('is what is told of a connection that is handed over', async () => {
    const upstream = await openUpstream(
      (_req, res) => res.end(),
      (server) =>
        server.on('upgrade', (_req, socket) => {
          const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other/1\r\n';
          socket.on('error', () => undefined).end(`${head}RateLimit: theirs\r\nX-Other: kept\r\n\r\n`);
        }),
    );
    const gateway = await openGateway(upstream, { routes: [probe], limits: { maxInFlight: 3 } });
    const request = `GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\n`;
    const answer = await sendRaw(
      gateway.url,
      `${request}Connection: Upgrade\r\nUpgrade: other/1\r\n\r\n`,
      '\r\n\r\n',
    );
    expect(answer).toMatch(/X-Other: kept\r\n/);
    expect(answer.match(/^ratelimit: .*$/gim)).toEqual(['RateLimit: "concurrency";r=2']);
  });

  it('holds what the route says before the upstream is asked', async () => {
    let runs = 0;
    const upstream = await openUpstream((_req, res) => {
      runs += 1;
      res.setHeader('Meterctl-Units', '7').end();
    });
    const routes = [{ path: '/chat', reserveUnits: 50 }, probe];
    const gateway = await openGateway(upstream, { routes });
    await limit(gateway, '--quota 100/month');
    runs = 0;
    const answers: number[] = [];
    for (let call = 0; call < 12; call += 1) answers.push((await gateway.call('/chat')).status);
    expect(answers.filter((status) => status === 200)).toHaveLength(8);
    expect(runs).toBe(8);
    expect((await gateway.usage()).units).toBe(56);
  });

  it.each(['delivered', 'none'])(
    'cuts streams off when it is used up, and bills what it left (%s)',
    async (onAbort) => {
      const gateway = await openGateway(await openEvents(), {
        routes: [{ path: '/events', units: { by: 'events' }, onAbort }, probe],
      });
      await limit(gateway, '--quota 500/month');
      const texts = await Promise.all([1, 2, 3].map(async () => readAll(await gateway.call('/events'))));
      expect(texts.join('').match(/data/g)?.length).toBeGreaterThan(400);
      await eventually(async () => expect((await gateway.usage()).units).toBe(500));
      expect((await gateway.call('/events')).status).toBe(429);
    },
  );

  it('gives the whole of an answer whose last event costs more than is left, and bills what is left', async () => {
    const body = 'data: {"delta":"a"}\n\ndata: {"usage":{"total":500}}\n\n';
    const upstream = await openUpstream((_req, res) => {
      res.setHeader('content-type', 'text/event-stream').end(body);
    });
    const units = { by: 'last-event', pointer: '/usage/total' };
    const gateway = await openGateway(upstream, { routes: [{ path: '/chat', units }, probe] });
    await limit(gateway, '--quota 800/month');
    expect(await (await gateway.call('/chat')).text()).toBe(body);
    expect(await (await gateway.call('/chat')).text()).toBe(body);
    await eventually(async () => expect((await gateway.usage()).units).toBe(800));
    expect((await gateway.call('/chat')).status).toBe(429);
  });

  it('ends a WebSocket when its messages are used up', async () => {
    const upstream = await openUpstream(
      (_req, res) => res.end(),
      (server) =>
        server.on('upgrade', (_req, socket) => {
          socket.on('error', () => undefined);
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
          );
          const more = () => {
            if (!socket.destroyed) socket.write(Buffer.from([0x81, 1, 0x78]), () => setImmediate(more));
          };
          more();
        }),
    );
    const gateway = await openGateway(upstream, {
      routes: [{ path: '/socket', units: { by: 'messages', from: 'upstream' } }, probe],
    });
    await limit(gateway, '--quota 40/month');
    const { host } = new URL(gateway.url);
    const request = [
      'GET /socket HTTP/1.1',
      `Host: ${host}`,
      `X-API-Key: ${gateway.key}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      '\r\n',
    ].join('\r\n');
    await sendRaw(gateway.url, request);
    await eventually(async () => expect((await gateway.usage()).units).toBe(40));
  });
});
