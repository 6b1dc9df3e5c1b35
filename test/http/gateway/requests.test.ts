/** Requests that two programs might read differently, and connections that close just as they are used again. */

import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { openGateway, openRawUpstream, openUpstream, sendRaw } from './open-gateway.js';

describe('a request that has two meanings', () => {
  it('is refused, and what follows it is not read', async () => {
    const seen: string[] = [];
    const gateway = await openGateway(
      await openUpstream((req, res) => {
        seen.push(`${req.method} ${req.url}`);
        res.end('ok');
      }),
      { routes: [{ path: '/free/*rest', free: true }] },
    );
    const key = `Host: x\r\nX-API-Key: ${gateway.key}\r\n`;
    const smuggled = 'GET /api/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    const bodies = [
      `POST /api HTTP/1.1\r\n${key}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST /api HTTP/1.1\r\n${key}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
      `POST /api HTTP/1.1\r\n${key}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
      `POST /api HTTP/1.1\r\n${key}Content-Length: 5, 5\r\n\r\nhello`,
      `POST /api HTTP/1.1\r\n${key}Content-Length: +5\r\n\r\nhello`,
      `POST /api HTTP/1.1\r\n${key}Content-Length: 0x5\r\n\r\nhello`,
      `POST /api HTTP/1.1\r\n${key}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      `POST /api HTTP/1.1\r\n${key}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      `POST /api HTTP/1.1\r\n${key}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
      `POST /api HTTP/1.1\r\n${key}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
      `POST /api HTTP/1.1\r\n${key}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`,
      `POST /api HTTP/1.1\r\n${key}Transfer-Encoding: chunked\r\n\r\n5;\nhello\r\n0\r\n\r\n`,
      `POST /api HTTP/1.0\r\n${key}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `GET /api HTTP/1.1\r\n${key}X-A: one\r\n two\r\n\r\n`,
      `GET /api HTTP/1.1\r\n${key}X-A: a\x00b\r\n\r\n`,
      `GET /api HTTP/1.1\r\n${key}X-A: a\rb\r\n\r\n`,
      `GET /api HTTP/1.1\r\n${key}X A: 1\r\n\r\n`,
      `GET /api HTTP/1.1\r\n${key}: 1\r\n\r\n`,
      `GET /api HTTP/1.1\r\n${key}Host: y\r\n\r\n`,
      `GET /free/x HTTP/1.1\r\n${key}Authorization: Basic eA==\r\nAuthorization: Bearer ${gateway.key}\r\n\r\n`,
      `GET /api HTTP/1.1\r\nX-API-Key: ${gateway.key}\r\n\r\n`,
      `GET /api/%2e%2e/admin HTTP/1.1\r\n${key}\r\n`,
      `GET /free/../api HTTP/1.1\r\n${key}\r\n`,
      `GET /free/..%2fapi HTTP/1.1\r\n${key}\r\n`,
      `GET /free/.%2E/api HTTP/1.1\r\n${key}\r\n`,
      `GET /free/x\\..\\api HTTP/1.1\r\n${key}\r\n`,
      `GET /free/..;/api HTTP/1.1\r\n${key}\r\n`,
      `GET /api/x%00 HTTP/1.1\r\n${key}\r\n`,
      `POST /api HTTP/1.1\r\n${key}Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello`,
    ];
    for (const body of bodies) {
      const answer = await sendRaw(gateway.url, Buffer.from(body + smuggled, 'latin1'));
      expect([body, answer]).toMatchObject([body, expect.stringMatching(/^HTTP\/1\.1 400 /)]);
      expect([body, answer.match(/HTTP\/1\.1 \d+/g)?.length]).toEqual([body, 1]);
    }
    expect(seen).toEqual([]);
    expect(await gateway.usage()).toEqual({ units: 0, requests: 0 });
    expect((await gateway.call('/api/v1.0/a..b/...')).status).toBe(200);
  });

  it('of absolute or strange form is not sold', async () => {
    const gateway = await openGateway(await openUpstream((_req, res) => res.end('ok')));
    const key = `Host: x\r\nX-API-Key: ${gateway.key}\r\nConnection: close\r\n\r\n`;
    for (const line of ['GET http://other/api', 'OPTIONS *', 'CONNECT other:443', 'GET //other/api/x']) {
      const answer = await sendRaw(gateway.url, `${line} HTTP/1.1\r\n${key}`);
      expect([line, answer]).toEqual([line, expect.not.stringMatching(/^HTTP\/1\.1 2/)]);
    }
    expect(await gateway.usage()).toEqual({ units: 0, requests: 0 });
  });
});

describe('a price', () => {
  const routes = [
    { path: '/v1/large/:id', units: 50 },
    { path: '/v1/*rest', methods: ['GET'], units: 2 },
    { path: '/v1/*rest', methods: ['POST'], units: 9 },
    { path: '/gpt/:op', methods: ['DELETE'], units: 7 },
    { path: '/gpt/:op', units: 1 },
    { path: '/:prompt', units: 40 },
  ];

  it('is that of the route, however its path is spelled, or there is none', async () => {
    const gateway = await openGateway(await openUpstream((_req, res) => res.end('ok')), { routes });
    for (const [path, status, units] of [
      ['/v1/large/x', 200, '50'],
      ['/v1/%6carge/%ff', 200, '50'],
      ['/v1/%6carge/%zz', 200, '50'],
      ['/V1/Large/x/', 200, '50'],
      ['/v1/large/a;v=1', 200, '50'],
      ['/v1/other/a%2Fb', 200, '2'],
      ['/v1/large;v=1/x', 404, null],
      ['/v1/large%3bv=1/x', 404, null],
      ['/v1/large%2Fx', 404, null],
      ['/v1/large%5Cx', 404, null],
      ['/gpt%2Fx', 404, null],
      ['/gpt%252Fx', 200, '40'],
    ] as const) {
      const answer = await gateway.call(path);
      expect([path, answer.status, answer.headers.get('meterctl-units')]).toEqual([path, status, units]);
    }
  });

  it('is not dodged by a method or a path in a header', async () => {
    const seen: unknown[] = [];
    const upstream = await openUpstream((req, res) => {
      const names = ['x-original-url', 'x-rewrite-url', 'x_http_method_override'];
      seen.push(names.find((name) => name in req.headers) ?? 'none');
      res.end('ok');
    });
    const gateway = await openGateway(upstream, { routes });
    const over = (name: string, method: string) => gateway.call('/v1/x', { headers: { [name]: method } });
    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      expect([name, (await over(name, 'post')).status]).toEqual([name, 400]);
      expect([name, (await over(name, 'HEAD')).status]).toEqual([name, 200]);
    }
    const several = { method: 'POST', headers: { 'X-HTTP-Method-Override': 'DELETE, X' } };
    expect((await gateway.call('/gpt/x', several)).status).toBe(400);
    expect((await over('X_HTTP_Method_Override', 'POST')).status).toBe(200);
    await gateway.call('/v1/x', {
      headers: { 'X-Original-URL': '/v1/large/x', 'X-Rewrite-URL': '/v1/large/x' },
    });
    expect(seen).toEqual(Array(5).fill('none'));
  });

  it('is not dodged by another version of HTTP inside of the connection', async () => {
    const seen: unknown[] = [];
    const gateway = await openGateway(
      await openUpstream((req, res) => {
        seen.push(req.headers.upgrade, req.headers['http2-settings']);
        res.end('ok');
      }),
    );
    const answer = await sendRaw(
      gateway.url,
      `GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\nConnection: Upgrade, HTTP2-Settings\r\n` +
        'Upgrade: websocket, h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*ok$/s);
    expect(seen).toEqual([undefined, undefined]);
  });
});

describe('a connection that the upstream closes just as it is used again', () => {
  /** Answers the first request of each connection, and hangs up on the second one. */
  function openForgetful(seen: string[]) {
    return openRawUpstream((socket) => {
      let requests = 0;
      socket.on('data', (chunk) => {
        requests += 1;
        seen.push(chunk.toString().split(' ')[0] ?? '');
        if (requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else socket.destroy();
      });
    });
  }

  it('costs a repeatable request nothing', async () => {
    const seen: string[] = [];
    const gateway = await openGateway(await openForgetful(seen));
    for (let call = 0; call < 5; call += 1) expect((await gateway.call('/api')).status).toBe(200);
    expect(seen.length).toBeGreaterThan(5);
    expect(await gateway.usage()).toEqual({ units: 5, requests: 5 });
  });

  it('is never hidden from a request that may have had an effect', async () => {
    const seen: string[] = [];
    const gateway = await openGateway(await openForgetful(seen));
    const statuses: number[] = [];
    for (let call = 0; call < 4; call += 1) {
      statuses.push((await gateway.call('/api', { method: 'POST', body: 'x' })).status);
    }
    expect(statuses).toEqual([200, 502, 200, 502]);
    expect(seen).toHaveLength(4);
    expect(await gateway.usage()).toEqual({ units: 2, requests: 2 });
  });
});

describe('several upstreams', () => {
  it('share the calls, and take over what could not be sent', async () => {
    const counts = [0, 0];
    const [one = '', two = ''] = await Promise.all(
      counts.map((_, index) =>
        openUpstream(async (req, res) => {
          counts[index] = (counts[index] ?? 0) + 1;
          for await (const chunk of req) res.write(chunk);
          res.end();
        }),
      ),
    );
    const gateway = await openGateway(one, { gateway: { replicas: ['http://127.0.0.1:1', two] } });
    for (let call = 0; call < 20; call += 1) {
      const answer = await gateway.call('/api', { method: 'POST', body: `call ${call}` });
      expect([answer.status, await answer.text()]).toEqual([200, `call ${call}`]);
    }
    expect(counts[0]).toBeGreaterThan(5);
    expect(counts[1]).toBeGreaterThan(5);
    expect(await gateway.usage()).toEqual({ units: 20, requests: 20 });
    expect(gateway.logged.filter(({ message }) => message.includes('cannot be reached'))).toHaveLength(1);
  });

  it('are left alone while their health is bad', async () => {
    const [counts, healthy] = [
      [0, 0],
      [true, false],
    ];
    const urls = await Promise.all(
      counts.map((_, index) =>
        openUpstream((req, res) => {
          if (req.url === '/health') res.statusCode = healthy[index] ? 200 : 503;
          else counts[index] = (counts[index] ?? 0) + 1;
          res.end();
        }),
      ),
    );
    const [one = '', ...replicas] = urls;
    const gateway = await openGateway(one, { gateway: { replicas, healthPath: '/health' } });
    await eventually(async () => {
      counts.fill(0);
      for (let call = 0; call < 10; call += 1) await gateway.call('/api');
      expect(counts).toEqual([10, 0]);
    });
  });
});
