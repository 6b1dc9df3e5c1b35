/** What calls cost: every way of telling it, what counts, and what nonsense is billed at. */

import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { bodyOf, openGateway, openUpstream, type TestGateway } from './open-gateway.js';

/** Answers what the query says: `status`, `type`, `body`, `encoding`, `chunks`. */
function openObedient(): Promise<string> {
  return openUpstream(async (req, res) => {
    await bodyOf(req);
    const query = new URL(req.url ?? '', 'http://x').searchParams;
    res.statusCode = Number(query.get('status') ?? 200);
    res.setHeader('content-type', query.get('type') ?? 'application/json');
    const encoding = query.get('encoding');
    if (encoding !== null) res.setHeader('content-encoding', encoding);
    for (const piece of (query.get('body') ?? '').match(/.{1,7}/gs) ?? []) {
      res.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    res.end();
  });
}

const events = [
  'data: {"delta":"a"}\n\n',
  ': a comment\n\nevent: x\r\ndata: {"delta":"b"}\r\n\r\n',
  'data: {"usage":\ndata: {"total_tokens":42}}\n\n',
  'data: [DONE]\n\nid: 7\n\ndata: not dispatched',
].join('');

async function billed(gateway: TestGateway, path: string, init?: RequestInit) {
  const before = await gateway.usage();
  const answer = await gateway.call(path, init);
  const text = await answer.text();
  return eventually(async () => {
    const after = await gateway.usage();
    if (answer.status < 400) expect(after.requests).toBe(before.requests + 1);
    return { units: after.units - before.units, rows: after.requests - before.requests, answer, text };
  });
}

function query(values: Record<string, string>): string {
  return `?${new URLSearchParams(values)}`;
}

describe('the cost of a call', () => {
  it('comes from where the route says', async () => {
    const gateway = await openGateway(await openObedient(), {
      routes: [
        { path: '/fixed', units: 5 },
        { path: '/nothing', units: 0 },
        { path: '/in', units: { by: 'request-bytes', per: 10 } },
        { path: '/out', units: { by: 'response-bytes', per: 10 } },
        { path: '/json', units: { by: 'json', pointer: '/usage/total~1tokens' }, maxUnits: 1_000 },
        { path: '/events', units: { by: 'events' } },
        { path: '/last', units: { by: 'last-event', pointer: '/usage/total_tokens' }, fallbackUnits: 3 },
      ],
    });
    expect(await billed(gateway, '/fixed')).toMatchObject({ units: 5 });
    expect(await billed(gateway, '/nothing')).toMatchObject({ units: 0, rows: 1 });
    expect(await billed(gateway, '/in', { method: 'POST', body: 'x'.repeat(21) })).toMatchObject({
      units: 3,
    });
    expect(await billed(gateway, '/in')).toMatchObject({ units: 0, rows: 1 });
    expect(await billed(gateway, `/out${query({ body: 'x'.repeat(101) })}`)).toMatchObject({ units: 11 });
    const document = '{"usage":{"total/tokens":17},"text":"…"}';
    const told = await billed(gateway, `/json${query({ body: document })}`);
    expect(told).toMatchObject({ units: 17, text: document });
    expect(told.answer.headers.get('meterctl-units')).toBe('17');
    const stream = { type: 'text/event-stream; charset=utf-8', body: events };
    expect(await billed(gateway, `/events${query(stream)}`)).toMatchObject({ units: 4, text: events });
    expect(await billed(gateway, `/last${query(stream)}`)).toMatchObject({ units: 42, text: events });
  });

  it('falls back where the upstream tells nothing or nonsense, and says so', async () => {
    const gateway = await openGateway(await openObedient(), {
      routes: [
        {
          path: '/json',
          units: { by: 'json', pointer: '/units' },
          maxUnits: 1_000,
          fallbackUnits: 7,
        },
        { path: '/last', units: { by: 'last-event', pointer: '/units' }, fallbackUnits: 9 },
      ],
    });
    const answers = ['{"units":-1}', '{"units":1.5}', '{"units":"5"}', '{"units":1001}', '{}', '{', ''];
    for (const body of answers) {
      expect([body, await billed(gateway, `/json${query({ body })}`)]).toMatchObject([body, { units: 7 }]);
    }
    expect(await billed(gateway, `/json${query({ body: '{"units":1000}' })}`)).toMatchObject({
      units: 1_000,
    });
    expect(await billed(gateway, `/json${query({ body: '\ufeff{"units":6}' })}`)).toMatchObject({ units: 6 });
    const type = 'text/event-stream';
    const last = { type, body: 'data: {"units":4}\n\ndata: {"units":-4}\n\n' };
    expect(await billed(gateway, `/last${query(last)}`)).toMatchObject({ units: 9 });
    const broken = { type, body: 'data: {"units":4}\n\ndata: {"units":4.5}\n\ndata: {"units":null}\n\n' };
    expect(await billed(gateway, `/last${query(broken)}`)).toMatchObject({ units: 9 });
    expect(await billed(gateway, `/last${query({ type, body: 'data: {"x":1}\n\n' })}`)).toMatchObject({
      units: 9,
    });
    expect(await billed(gateway, `/last${query({ body: '{"units":4}' })}`)).toMatchObject({ units: 9 });
    const told = gateway.logged.filter(({ message }) => message.includes('no usable units'));
    expect(told).toHaveLength(answers.length + 4);
    expect(told[0]?.fields).toMatchObject({ route: 'GET /json', why: expect.stringContaining('-1') });
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain(`meterctl_upstream_misreports_total ${told.length}`);
  });

  it('asks for plain answers where it reads them, and does not read compressed ones', async () => {
    let asked: string | undefined;
    const gateway = await openGateway(
      await openUpstream((req, res) => {
        asked = req.headers['accept-encoding'];
        res.setHeader('content-encoding', 'gzip');
        res.end('{"units":4}');
      }),
      { routes: [{ path: '/json', units: { by: 'json', pointer: '/units' }, fallbackUnits: 2 }] },
    );
    await gateway
      .call('/json', { headers: { 'accept-encoding': 'gzip, br' } })
      .then((answer) => answer.body?.cancel());
    expect(asked).toBe('identity');
    await eventually(async () => expect(await gateway.usage()).toEqual({ units: 2, requests: 1 }));
    await gateway
      .call('/api', { headers: { 'accept-encoding': 'gzip, br' } })
      .then((answer) => answer.body?.cancel());
    expect(asked).toBe('gzip, br');
  });

  it('passes a document on that is too large to be read, at the fallback', async () => {
    const body = JSON.stringify({ units: 4, padding: 'x'.repeat(3_000_000) });
    const gateway = await openGateway(await openUpstream((_req, res) => res.end(body)), {
      routes: [{ path: '/json', units: { by: 'json', pointer: '/units' }, fallbackUnits: 2 }],
    });
    const { units, text } = await billed(gateway, '/json');
    expect(units).toBe(2);
    expect(text === body).toBe(true);
  });
});

describe('routes', () => {
  it('are tried in order, by path and method, however the path is spelled; then comes /api', async () => {
    const gateway = await openGateway(await openObedient(), {
      routes: [
        { path: '/v1/models/:id', methods: ['GET'], units: 2 },
        { path: '/v1/models/special', units: 100 },
        { path: '/v1/*rest', methods: ['POST'], units: 3 },
        { path: '/api/expensive', units: 50 },
      ],
    });
    for (const [method, path, units] of [
      ['GET', '/v1/models/special', 2],
      ['HEAD', '/v1/models/x', 2],
      ['PUT', '/v1/models/special', 100],
      ['POST', '/v1/models/other', 3],
      ['GET', '/api/expensive', 50],
      ['GET', '/API/Expensive/', 50],
      ['GET', '/api/%65xpensive', 50],
      ['GET', '/api//expensive', 50],
      ['GET', '/api/other', 1],
    ] as const) {
      expect([path, await billed(gateway, path, { method })]).toMatchObject([path, { units }]);
    }
    const rows = await gateway.json<{ data: { route: string }[] }>('usage --by route');
    expect(rows.data.map(({ route }) => route)).toEqual([
      'GET /api',
      'GET /api/expensive',
      'GET /v1/models/:id',
      'HEAD /v1/models/:id',
      'POST /v1/*rest',
      'PUT /v1/models/special',
    ]);
    expect((await gateway.call('/v2/other')).status).toBe(404);
    expect((await gateway.call('/v1/models/x', { method: 'PUT' })).status).toBe(404);
  });

  it('may be free, may ask for a scope, and never take our own pages', async () => {
    const gateway = await openGateway(await openObedient(), {
      routes: [
        { path: '/public', free: true },
        { path: '/secret', scope: 'secrets' },
        { path: '/*rest', units: 4 },
      ],
    });
    const free = await fetch(`${gateway.url}/public`);
    expect([free.status, free.headers.get('meterctl-units')]).toEqual([200, null]);
    expect((await fetch(`${gateway.url}/other`)).status).toBe(401);
    const create = `keys create --customer ${gateway.customerId} --scope other`;
    const { key } = await gateway.json<{ key: string }>(create);
    expect((await fetch(`${gateway.url}/secret`, { headers: { 'x-api-key': key } })).status).toBe(403);
    expect(await (await fetch(`${gateway.url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${gateway.url}/`)).text()).toContain('Fire API');
    expect(await billed(gateway, '/anything')).toMatchObject({ units: 4 });
    expect(await gateway.usage()).toEqual({ units: 4, requests: 1 });
  });

  it('bill the answers that they count', async () => {
    const gateway = await openGateway(await openObedient(), {
      routes: [{ path: '/search', counts: ['2xx', '404'], units: 2 }],
    });
    for (const [status, units] of [
      [200, 2],
      [204, 2],
      [404, 2],
      [400, 0],
      [500, 0],
      [304, 0],
    ] as const) {
      const before = await gateway.usage();
      const answer = await gateway.call(`/search?status=${status}`);
      expect([status, answer.headers.get('meterctl-units')]).toEqual([status, String(units)]);
      expect([status, (await gateway.usage()).units - before.units]).toEqual([status, units]);
    }
  });
});
