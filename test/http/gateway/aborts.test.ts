/** Clients and upstreams that break off, at every stage, and what is billed for it. */

import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import {
  bodyOf,
  openGateway,
  openRawUpstream,
  openUpstream,
  sendRaw,
  type TestGateway,
} from './open-gateway.js';

/** An upstream that shows what it got, and answers when it is told to. */
async function openPatient(): Promise<{ url: string; next(): Promise<[IncomingMessage, ServerResponse]> }> {
  const waiting: [IncomingMessage, ServerResponse][] = [];
  const url = await openUpstream((req, res) => {
    req.on('error', () => undefined);
    waiting.push([req, res]);
  });
  const next = () =>
    eventually(async () => {
      const pair = waiting.shift();
      if (!pair) throw new Error('no request has come');
      return pair;
    });
  return { url, next };
}

function begin(gateway: TestGateway, path: string, method = 'GET'): ClientRequest {
  const client = request(`${gateway.url}${path}`, { method, headers: { 'x-api-key': gateway.key } });
  client.on('error', () => undefined);
  return client;
}

async function billed(gateway: TestGateway, total: { units: number; requests: number }): Promise<void> {
  await eventually(async () => expect(await gateway.usage()).toEqual(total));
}

const event = 'data: {"x":1}\n\n';

describe('a client that hangs up', () => {
  it('before the head costs nothing, and the upstream is told', async () => {
    const upstream = await openPatient();
    const gateway = await openGateway(upstream.url);
    const client = begin(gateway, '/api');
    client.end();
    const [req] = await upstream.next();
    client.destroy();
    await once(req.socket, 'close');
    await billed(gateway, { units: 0, requests: 0 });
    const upload = begin(gateway, '/api', 'POST');
    upload.write('half');
    const [half] = await upstream.next();
    upload.destroy();
    await expect(bodyOf(half)).rejects.toThrow('aborted');
    await billed(gateway, { units: 0, requests: 0 });
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain('meterctl_paid_calls_total{outcome="client_gone"} 2');
    expect(metrics).not.toContain('outcome="ok"');
  });

  it.each([
    ['delivered', 3, 'close'],
    ['none', 0, 'close'],
    ['upstream', 5, 'end'],
  ] as const)('mid-stream is billed as the route says: %s', async (onAbort, units, ending) => {
    const upstream = await openPatient();
    const gateway = await openGateway(upstream.url, {
      routes: [{ path: '/stream', units: { by: 'events' }, onAbort }],
    });
    const client = begin(gateway, '/stream');
    client.end();
    const [, res] = await upstream.next();
    res.setHeader('content-type', 'text/event-stream');
    res.write(event.repeat(3));
    const [answer] = (await once(client, 'response')) as [IncomingMessage];
    answer.on('error', () => undefined);
    expect(answer.headers['meterctl-units']).toBeUndefined();
    expect(String((await once(answer, 'data'))[0])).toContain(event);
    await sleep(100);
    client.destroy();
    if (ending === 'close') await once(res, 'close');
    else {
      await sleep(200);
      res.end(event.repeat(2));
    }
    await billed(gateway, { units, requests: 1 });
  });

  it('and took too little of its answer pays for all of that where the route says so', async () => {
    const megabyte = 1024 * 1024;
    const upstream = await openUpstream((_req, res) => res.end(Buffer.alloc(32 * megabyte)));
    const gateway = await openGateway(upstream, {
      routes: [{ path: '/bytes', units: { by: 'response-bytes', per: megabyte }, onAbort: 'upstream' }],
      limits: { maxInFlight: 1 },
    });
    const client = begin(gateway, '/bytes');
    client.end();
    // Nobody reads it, so the upstream has to wait.
    await once(client, 'response');
    await sleep(100);
    client.destroy();
    await billed(gateway, { units: 32, requests: 1 });
    // Its place is free again.
    expect((await gateway.call('/bytes', { method: 'HEAD' })).status).toBe(200);
  });

  it('mid-answer pays what is known at the head, unless the route says that it is free then', async () => {
    const upstream = await openPatient();
    const gateway = await openGateway(upstream.url, {
      routes: [
        { path: '/fixed', units: 5 },
        { path: '/lenient', units: 5, onAbort: 'none' },
      ],
    });
    for (const [path, total] of [
      ['/fixed', { units: 5, requests: 1 }],
      ['/lenient', { units: 5, requests: 2 }],
    ] as const) {
      const client = begin(gateway, path);
      client.end();
      const [, res] = await upstream.next();
      res.write('some');
      const [answer] = (await once(client, 'response')) as [IncomingMessage];
      answer.on('error', () => undefined);
      client.destroy();
      await once(res, 'close');
      await billed(gateway, total);
    }
    const whole = gateway.call('/lenient');
    const [, res] = await upstream.next();
    res.end('all of it');
    expect(await (await whole).text()).toBe('all of it');
    await billed(gateway, { units: 10, requests: 3 });
  });

  it('while its document is being read costs nothing', async () => {
    const upstream = await openPatient();
    const gateway = await openGateway(upstream.url, {
      routes: [{ path: '/json', units: { by: 'json', pointer: '/units' } }],
    });
    const client = begin(gateway, '/json');
    client.end();
    const [, res] = await upstream.next();
    res.write('{"units":');
    await sleep(100);
    client.destroy();
    await once(res, 'close');
    await billed(gateway, { units: 0, requests: 0 });
  });
});

describe('an upstream', () => {
  it('that is down, closes at once or answers no HTTP is unavailable, and nothing is billed', async () => {
    const closing = await openRawUpstream((socket) => socket.once('data', () => socket.destroy()));
    const babbling = await openRawUpstream((socket) =>
      socket.once('data', () => socket.end('220 hello\r\n')),
    );
    const twice = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!';
    const lying = await openRawUpstream((socket) => socket.once('data', () => socket.end(twice)));
    for (const url of ['http://127.0.0.1:1', closing, babbling, lying]) {
      const gateway = await openGateway(url);
      const answer = await gateway.call('/api', { method: 'POST', body: 'x' });
      expect([url, answer.status, await answer.json()]).toMatchObject([
        url,
        502,
        { code: 'upstream_unavailable', request_id: answer.headers.get('x-request-id') },
      ]);
      expect(await gateway.usage()).toEqual({ units: 0, requests: 0 });
    }
  });

  it('that gives no head in time is given up, and nothing is billed', async () => {
    const upstream = await openPatient();
    const gateway = await openGateway(upstream.url, { gateway: { headTimeout: '1s' } });
    const answering = gateway.call('/api');
    const [, res] = await upstream.next();
    const closed = once(res, 'close');
    const answer = await answering;
    expect([answer.status, await answer.json()]).toMatchObject([504, { code: 'upstream_timeout' }]);
    await closed;
    expect(await gateway.usage()).toEqual({ units: 0, requests: 0 });
  });

  it.each([
    ['resets', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome', 'reset'],
    ['sends less than it said', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome', 'end'],
    ['breaks a chunk off', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nso', 'end'],
    ['falls silent', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome', 'nothing'],
  ] as const)('that %s mid-body never looks whole, and is billed as it began', async (_what, bytes, then) => {
    const gateway = await openGateway(
      await openRawUpstream((socket) =>
        socket.once('data', () => {
          socket.write(bytes);
          setTimeout(() => {
            if (then === 'reset') socket.resetAndDestroy();
            if (then === 'end') socket.end();
          }, 100);
        }),
      ),
      { gateway: { idleTimeout: '1s' } },
    );
    const answer = await gateway.call('/api');
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    expect(await gateway.usage()).toEqual({ units: 1, requests: 1 });
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });

  it('that breaks off while its answers wait to be billed is heard as far as it came', async () => {
    const cut = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n-5\r\n';
    const gateway = await openGateway(
      await openRawUpstream((socket) => socket.once('data', () => socket.end(cut))),
      { routes: [{ path: '/out', units: { by: 'response-bytes', per: 1 } }] },
    );
    const ask = `GET /out HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\n\r\n`;
    // Heads of calls that share a commit wait for it.
    const answers = await Promise.all(Array.from({ length: 20 }, () => sendRaw(gateway.url, ask)));
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 200 .*\r\n4\r\nsome\r\n$/s);
    expect(await gateway.usage()).toEqual({ units: 80, requests: 20 });
  });

  it('that sends more than it said does not reach the next answer', async () => {
    const gateway = await openGateway(
      await openRawUpstream((socket) =>
        socket.on('data', () =>
          socket.write(
            'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
          ),
        ),
      ),
    );
    for (let call = 0; call < 5; call += 1) expect(await (await gateway.call('/api')).text()).toBe('ok');
  });

  it('that answers before it has the body is heard, and the rest is not taken for another request', async () => {
    const gateway = await openGateway(
      await openUpstream((_req, res) => {
        res.writeHead(403, { 'content-length': 2 });
        res.end('no');
      }),
    );
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    let said = '';
    socket.on('data', (chunk) => (said += chunk));
    const answers = () => said.match(/HTTP\/1\.1 \d+/g)?.length;
    const head = `Host: x\r\nX-API-Key: ${gateway.key}\r\n`;
    const next = `GET /api HTTP/1.1\r\n${head}\r\n`;
    socket.write(`POST /api HTTP/1.1\r\n${head}Content-Length: ${5 + next.length}\r\n\r\nbegin`);
    await eventually(async () => expect(answers()).toBe(1));
    expect(said).toMatch(/^HTTP\/1\.1 403 .*\r\n\r\nno$/s);
    // What looks like a request is the rest of the body; a real one follows.
    socket.write(next.slice(0, 10));
    await sleep(20);
    socket.write(`${next.slice(10)}GET /nothing HTTP/1.1\r\n${head}\r\n`);
    await eventually(async () => expect(answers()).toBe(2));
    await sleep(20);
    expect(said.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 403', 'HTTP/1.1 404']);
    socket.destroy();
  });
});
