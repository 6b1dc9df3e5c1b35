/** Answers that no client should have to see: what an upstream can send, and must not bring the daemon down with. */

import { get, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { openGateway, openRawUpstream, openUpstream, sendRaw, type TestGateway } from './open-gateway.js';

/** An upstream that answers each path with bytes, and a way to ask for them. */
async function openOdd(answers: Record<string, string>) {
  const gateway = await openGateway(
    await openRawUpstream((socket) => {
      socket.on('data', (chunk) => {
        const [method, path = ''] = chunk.toString('latin1').split(' ');
        const answer = answers[path] ?? '';
        const headOnly = answer.slice(0, answer.indexOf('\r\n\r\n') + 4);
        socket.end(Buffer.from(method === 'HEAD' ? headOnly : answer, 'utf8'));
      });
    }),
  );
  const ask = (path: string, { method = 'GET', version = '1.1', more = '' } = {}) =>
    sendRaw(
      gateway.url,
      `${method} ${path} HTTP/${version}\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\n${more}Connection: close\r\n\r\n`,
    );
  return { gateway, ask };
}

const chunked = 'Transfer-Encoding: chunked\r\n';
const hello = '5\r\nhello\r\n0\r\n';

describe('an answer', () => {
  it('with a reason that Node does not write comes with one that it does', async () => {
    const { gateway, ask } = await openOdd({
      '/api/control': 'HTTP/1.1 200 O\x01K\x7f\r\nContent-Length: 2\r\n\r\nok',
      '/api/foreign': 'HTTP/1.1 404 未找到\r\nContent-Length: 2\r\n\r\nno',
    });
    expect(await ask('/api/control')).toMatch(/^HTTP\/1\.1 200 O\?K\?\r\n.*ok$/s);
    expect(await ask('/api/foreign')).toMatch(/^HTTP\/1\.1 404 \?\?\?\r\n.*no$/s);
    expect(await gateway.usage()).toEqual({ units: 1, requests: 1 });
  });

  it('that announces trailers has none where there is no place for them', async () => {
    const { gateway, ask } = await openOdd({
      '/api': `HTTP/1.1 200 OK\r\n${chunked}Trailer: X-Sum\r\n\r\n${hello}X-Sum: 5\r\n\r\n`,
      '/api/same': 'HTTP/1.1 304 Not Modified\r\nTrailer: X-Sum\r\n\r\n',
    });
    for (const answer of [
      await ask('/api', { version: '1.0' }),
      await ask('/api', { method: 'HEAD' }),
      await ask('/api/same'),
    ]) {
      expect(answer).toMatch(/^HTTP\/1\.1 (200|304) /);
      expect(answer).not.toMatch(/X-Sum/i);
    }
    const more = 'Idempotency-Key: one\r\n';
    expect(await ask('/api', { more })).toMatch(/Trailer: X-Sum.*X-Sum: 5\r\n/s);
    const again = await ask('/api', { more });
    expect(again).toMatch(/^HTTP\/1\.1 200 .*Idempotent-Replayed: true.*hello$/s);
    expect(again).not.toMatch(/X-Sum/i);
    expect(await gateway.usage()).toEqual({ units: 4, requests: 4 });
  });

  it('is repeated without a length where it has no body', async () => {
    const { ask } = await openOdd({
      '/api': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      '/api/empty': 'HTTP/1.1 204 No Content\r\n\r\n',
    });
    for (const [path, method] of [
      ['/api', 'HEAD'],
      ['/api/empty', 'GET'],
    ] as const) {
      const more = `Idempotency-Key: ${method}\r\n`;
      await ask(path, { method, more });
      const again = await ask(path, { method, more });
      expect(again).toContain('Idempotent-Replayed: true\r\n');
      expect(again).not.toMatch(/Content-Length|Transfer-Encoding/i);
    }
  });

  it('has no trailers that are ours to say', async () => {
    const trailers = 'X-Sum: 5\r\nMeterctl-Units: 77\r\nX-Request-Id: theirs\r\n\r\n';
    const { ask } = await openOdd({ '/api': `HTTP/1.1 200 OK\r\n${chunked}\r\n${hello}${trailers}` });
    const answer = await ask('/api');
    expect(answer).toMatch(/\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n$/);
    expect(answer).toContain('Meterctl-Units: 1\r\n');
  });

  it('comes also after a hint that Node does not write', async () => {
    const { ask } = await openOdd({
      '/api':
        'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload, nonsense\r\n\r\n' +
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    });
    expect(await ask('/api')).toMatch(/^HTTP\/1\.1 200 OK\r\n.*ok$/s);
  });

  it('whose length is told in two ways, or whose head is none, is no answer', async () => {
    const answers = {
      '/api/both': `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${chunked}\r\n${hello}\r\n`,
      '/api/other': `HTTP/1.1 200 OK\r\n${chunked}Content-Length: 50\r\n\r\n${hello}\r\n`,
      '/api/less': 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok',
      '/api/huge': 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nok',
      '/api/lf': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
      '/api/fold': 'HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\nok',
      '/api/blank': 'HTTP/1.1 200 OK\r\nX A: a\r\nContent-Length: 2\r\n\r\nok',
      '/api/nul': 'HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 2\r\n\r\nok',
      '/api/zero': 'HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nok',
      '/api/switch': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
      '/api/bare': 'hello',
    };
    const { gateway, ask } = await openOdd(answers);
    for (const path of Object.keys(answers)) {
      expect([path, await ask(path)]).toEqual([path, expect.stringMatching(/^HTTP\/1\.1 502 /)]);
    }
    expect(await gateway.usage()).toEqual({ units: 0, requests: 0 });
    const told = gateway.logged.filter(({ message }) => message === 'an upstream gave no answer');
    expect(told).toHaveLength(Object.keys(answers).length);
    expect(told[0]?.fields).toMatchObject({ route: 'GET /api', requestId: expect.stringContaining('req_') });
  });

  it('may have blanks behind what it says of its units', async () => {
    const { gateway, ask } = await openOdd({
      '/api': 'HTTP/1.1 200 OK\r\nMeterctl-Units: 7 \t\r\nContent-Length: 2\r\n\r\nok',
    });
    expect(await ask('/api')).toContain('Meterctl-Units: 7\r\n');
    expect(await gateway.usage()).toEqual({ units: 7, requests: 1 });
  });

  it('that was not modified is whole, whatever length it tells', async () => {
    const head = 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n';
    const gateway = await openGateway(
      await openRawUpstream((socket) => socket.on('data', () => socket.write(head))),
      { routes: [{ path: '/json', units: { by: 'json', pointer: '/units' }, fallbackUnits: 3 }] },
    );
    const ask = (path: string, more = '') =>
      sendRaw(
        gateway.url,
        `GET ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\n${more}Connection: close\r\n\r\n`,
      );
    // Heads of calls that share a commit wait for it.
    const together = Array.from({ length: 20 }, () => ask('/api'));
    const answers = [...(await Promise.all(together)), await ask('/json')];
    answers.push(await ask('/api', 'Idempotency-Key: one\r\n'));
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 304 .*Content-Length: 1234\r\n/s);
    expect(await gateway.usage()).toEqual({ units: 24, requests: 22 });
    expect(await metricsOf(gateway)).toContain('meterctl_upstream_broken_answers_total 0');
  });

  it('that breaks off is told to the operator, too', async () => {
    const { gateway, ask } = await openOdd({ '/api': `HTTP/1.1 200 OK\r\n${chunked}\r\n-5\r\nhello` });
    expect(await ask('/api')).not.toContain('hello');
    expect(gateway.logged).toContainEqual({
      message: 'an answer of an upstream broke off',
      fields: expect.objectContaining({ route: 'GET /api' }),
    });
    expect(await metricsOf(gateway)).toContain('meterctl_upstream_broken_answers_total 1');
  });
});

describe('a client', () => {
  it('that takes nothing of its answer for too long is taken for gone', async () => {
    let closed = false;
    const gateway = await openGateway(
      await openUpstream((_req, res) => {
        res.once('close', () => {
          closed = true;
        });
        Readable.from(endless()).pipe(res);
      }),
      { gateway: { idleTimeout: '1s' } },
    );
    const answer = await new Promise<IncomingMessage>((resolve) => {
      get(`${gateway.url}/api`, { headers: { 'x-api-key': gateway.key } }, resolve);
    });
    answer.on('error', () => undefined);
    await eventually(async () => expect(closed).toBe(true));
    expect(await gateway.usage()).toEqual({ units: 1, requests: 1 });
  });
});

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024);
}

async function metricsOf(gateway: TestGateway): Promise<string> {
  return (await fetch(`${gateway.url}/metrics`)).text();
}
