/** Bodies of every length and framing, both ways, at every speed. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { openSubscribedProgram } from '../../support/subscribed-program.js';
import {
  bodyOf,
  openGateway,
  openRawUpstream,
  openUpstream,
  sendRaw,
  type TestGateway,
} from './open-gateway.js';

const megabyte = 1024 ** 2;
const gigabyte = 1024 ** 3;
const crlf = Buffer.from('\r\n');
const piece = Buffer.alloc(64 * 1024, 'meterctl');

/** Begins a request with a body, and sends that on whatever is answered. */
function openUpload(gateway: TestGateway, fields: string) {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  let [said, error]: [string, Error | undefined] = ['', undefined];
  socket.on('data', (chunk) => (said += chunk));
  socket.on('error', (thrown) => (error = thrown));
  socket.write(`POST /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\n${fields}\r\n\r\n`);
  const isChunked = fields.includes('chunked');
  return {
    socket,
    answers: () => [...said.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    error: () => error,
    async send(bytes: number) {
      const body = Buffer.alloc(bytes, 'x');
      const chunk = isChunked ? Buffer.concat([Buffer.from(`${bytes.toString(16)}\r\n`), body, crlf]) : body;
      await new Promise((resolve) => socket.write(chunk, resolve));
    },
  };
}

/** Memory that the process holds, in bytes. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

describe('bodies', () => {
  it('of a gigabyte pass both ways without being gathered', async () => {
    const upstream = await openUpstream(async (req, res) => {
      if (req.method === 'POST') {
        let bytes = 0;
        for await (const chunk of req) bytes += (chunk as Buffer).length;
        res.end(String(bytes));
        return;
      }
      res.setHeader('content-length', gigabyte);
      for (let sent = 0; sent < gigabyte; sent += piece.length) {
        if (!res.write(piece)) await once(res, 'drain');
      }
      res.end();
    });
    const { program, key } = await openSubscribedProgram();
    const daemon = await program.serve(['--upstream', upstream]);
    const pid = daemon.process.pid ?? 0;
    const headers = { 'x-api-key': key };
    await (await fetch(`${daemon.url}/api`, { method: 'POST', headers, body: piece })).text();
    const before = residentBytes(pid);
    let most = before;

    let received = 0;
    await new Promise<void>((resolve, reject) => {
      get(`${daemon.url}/api`, { headers }, (answer) => {
        answer.on('data', (chunk: Buffer) => {
          received += chunk.length;
          if (received % (64 * 1024 * 1024) < chunk.length) most = Math.max(most, residentBytes(pid));
        });
        answer.on('end', resolve);
        answer.on('error', reject);
      });
    });
    expect(received).toBe(gigabyte);

    const upload = request(`${daemon.url}/api`, { method: 'POST', headers });
    const answered = once(upload, 'response');
    for (let sent = 0; sent < gigabyte; sent += piece.length) {
      if (!upload.write(piece)) await once(upload, 'drain');
      if (sent % (64 * 1024 * 1024) === 0) most = Math.max(most, residentBytes(pid));
    }
    upload.end();
    const [answer] = (await answered) as [import('node:http').IncomingMessage];
    expect((await bodyOf(answer)).toString()).toBe(String(gigabyte));
    expect((most - before) / 1024 / 1024, 'MB more than before').toBeLessThan(120);
  }, 120_000);

  it('arrive whole, chunked or of a known length, whatever their size', async () => {
    const gateway = await openGateway(
      await openUpstream(async (req, res) => {
        const body = await bodyOf(req);
        res.setHeader(
          'x-framing',
          req.headers['transfer-encoding'] ?? req.headers['content-length'] ?? 'none',
        );
        if (req.url?.includes('sized')) res.setHeader('content-length', body.length);
        res.write(body.subarray(0, body.length / 2));
        res.end(body.subarray(body.length / 2));
      }),
    );
    for (const length of [0, 1, 65_535, 65_536, 1_000_003]) {
      const body = Buffer.alloc(length, 'ä…');
      for (const path of ['/api/sized', '/api/chunked']) {
        const sized = await gateway.call(path, { method: 'POST', body });
        expect([length, hashOf(Buffer.from(await sized.arrayBuffer()))]).toEqual([length, hashOf(body)]);
        expect(sized.headers.get('x-framing')).toBe(String(length));
        const stream = new Blob([body]).stream();
        // A stream as a body makes fetch send it in chunks.
        const chunked = await gateway.call(path, {
          method: 'PUT',
          body: stream,
          duplex: 'half',
        } as RequestInit);
        expect([length, hashOf(Buffer.from(await chunked.arrayBuffer()))]).toEqual([length, hashOf(body)]);
        expect(chunked.headers.get('x-framing')).toBe(length === 0 ? '0' : 'chunked');
      }
    }
  });

  it('are not read from a client that is refused, and asked for by one that waits', async () => {
    let begun = 0;
    const gateway = await openGateway(
      await openUpstream(async (req, res) => {
        begun += 1;
        res.end(await bodyOf(req));
      }),
    );
    const head = (key: string) =>
      `POST /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n`;
    const refused = await sendRaw(gateway.url, `${head('mk_test_wrong')}\r\n`, '\r\n\r\n');
    expect(refused).toMatch(/^HTTP\/1\.1 401 /);
    const waiting = await sendRaw(gateway.url, `${head(gateway.key)}\r\n`, '\r\n\r\n');
    expect(waiting).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    const sent = await sendRaw(gateway.url, `${head(gateway.key)}Connection: close\r\n\r\nhello`);
    expect(sent.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
    expect(sent.endsWith('hello')).toBe(true);
    const keyed = await sendRaw(
      gateway.url,
      `${head(gateway.key)}Idempotency-Key: one\r\nConnection: close\r\n\r\n`,
      '\r\n\r\n',
    );
    expect(keyed).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    // The upstream hears of a request with its first byte of body.
    expect(begun).toBe(1);
  });

  it('beyond the limit are refused, before or while they come', async () => {
    const gateway = await openGateway(
      await openUpstream(async (req, res) => {
        res.end(String((await bodyOf(req).catch(() => Buffer.alloc(0))).length));
      }),
      { gateway: { requestBytesMax: 100_000 } },
    );
    const said = await gateway.call('/api', { method: 'POST', body: Buffer.alloc(100_001) });
    expect([said.status, await said.json()]).toMatchObject([413, { code: 'payload_too_large' }]);
    const chunks = 'ffff\r\n'.concat('x'.repeat(0xffff), '\r\n').repeat(4);
    const head = `POST /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await sendRaw(gateway.url, `${head}${chunks}0\r\n\r\n`, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 413 /);
    const keyed = head.replace('\r\n\r\n', '\r\nIdempotency-Key: one\r\n\r\n');
    expect(await sendRaw(gateway.url, `${keyed}${chunks}0\r\n\r\n`, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 413 /);
    const whole = await gateway.call('/api', { method: 'POST', body: Buffer.alloc(100_000) });
    expect(await whole.text()).toBe('100000');
    expect(await gateway.usage()).toEqual({ units: 1, requests: 1 });
  });

  it.each([
    ['a length', `Content-Length: ${20 * megabyte}`],
    ['chunks', 'Transfer-Encoding: chunked'],
    ['an Idempotency-Key', 'Idempotency-Key: large\r\nTransfer-Encoding: chunked'],
  ])('far beyond the limit, with %s, are told so, though their client sends on', async (_, fields) => {
    const gateway = await openGateway(
      await openUpstream(
        (req, res) =>
          void bodyOf(req).then(
            () => res.end(),
            () => undefined,
          ),
      ),
      {
        gateway: { requestBytesMax: megabyte },
      },
    );
    for (let call = 0; call < 3; call += 1) {
      const client = openUpload(gateway, fields);
      for (let sent = 0; sent < 20; sent += 1) await client.send(megabyte);
      if (fields.includes('chunked')) client.socket.write('0\r\n\r\n');
      client.socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n');
      await eventually(async () => expect(client.answers()).toEqual(['413', '404']));
      expect(client.error()).toBeUndefined();
      client.socket.destroy();
    }
    expect(await gateway.usage()).toEqual({ units: 0, requests: 0 });
  });

  it('that never end are cut off some time after their answer', async () => {
    const gateway = await openGateway(await openUpstream((_req, res) => res.end('no')));
    const client = openUpload(gateway, 'Transfer-Encoding: chunked');
    let sent = 0;
    for (; client.error() === undefined && sent < 1_000; sent += 1) await client.send(megabyte);
    expect(client.answers()).toEqual(['200']);
    expect(sent).toBeGreaterThan(64);
    expect(sent).toBeLessThan(1_000);
  });

  it('of HTTP/1.0, without a length, and of answers that have none', async () => {
    const heads: Record<string, string> = {
      '/api/old': 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end',
      '/api/chunks':
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n',
      '/api/none': 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n',
      '/api/same': 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
      '/api/early':
        'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    };
    const gateway = await openGateway(
      await openRawUpstream((socket) => {
        socket.on('data', (chunk) => {
          const path = chunk.toString().split(' ')[1] ?? '';
          socket.end(heads[path] ?? '');
        });
      }),
    );
    const raw = (path: string, version = '1.1') =>
      sendRaw(
        gateway.url,
        `GET ${path} HTTP/${version}\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\nConnection: close\r\n\r\n`,
      );
    expect(await raw('/api/old')).toMatch(/chunked.*\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n$/s);
    const old = await raw('/api/old', '1.0');
    expect(old).toMatch(/\r\n\r\nuntil the end$/);
    expect(old).not.toContain('chunked');
    expect(await raw('/api/chunks')).toMatch(/Trailer: X-Sum.*5\r\nhello\r\n0\r\nX-Sum: 5\r\n/s);
    expect(await raw('/api/none')).toMatch(/^HTTP\/1\.1 204 .*\r\n\r\n$/s);
    expect(await raw('/api/same')).toMatch(/^HTTP\/1\.1 304 .*ETag: "x".*\r\n\r\n$/s);
    const early = await raw('/api/early');
    expect(early).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\n/);
    expect(early).toMatch(/HTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 200 OK\r\n.*ok$/s);
    expect(await gateway.usage()).toEqual({ units: 6, requests: 6 });
  });

  it('of HEAD have a length and nothing else, and the connection is used on', async () => {
    const gateway = await openGateway(
      await openUpstream((_req, res) => {
        res.setHeader('content-length', 12_345);
        res.end();
      }),
    );
    const line = (connection: string) =>
      `HEAD /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\nConnection: ${connection}\r\n\r\n`;
    const answers = await sendRaw(gateway.url, line('keep-alive') + line('close'));
    expect(answers.match(/Content-Length: 12345/gi)).toHaveLength(2);
    expect(answers.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it('reach a slow client as fast as it reads, and come from a slow upstream piece by piece', async () => {
    let pushed = 0;
    const gateway = await openGateway(
      await openUpstream(async (req, res) => {
        if (req.url === '/api/slow') {
          for (const part of ['one', 'two', 'three']) {
            res.write(part);
            await sleep(100);
          }
          res.end();
          return;
        }
        for (; pushed < 2_000; pushed += 1) if (!res.write(piece)) await once(res, 'drain');
        res.end();
      }),
    );
    const parts: string[] = [];
    const slow = await gateway.call('/api/slow');
    for await (const part of slow.body ?? []) parts.push(Buffer.from(part as Uint8Array).toString());
    expect(parts).toEqual(['one', 'two', 'three']);

    const answer = await new Promise<import('node:http').IncomingMessage>((resolve) => {
      get(`${gateway.url}/api`, { headers: { 'x-api-key': gateway.key } }, resolve);
    });
    // Nobody reads: what the sockets between hold comes, and no more.
    await eventually(async () => {
      const before = pushed;
      await sleep(300);
      expect(pushed).toBe(before);
    });
    expect(pushed).toBeLessThan(400);
    let received = 0;
    for await (const chunk of answer) received += (chunk as Buffer).length;
    expect(received).toBe(2_000 * piece.length);
  });
});

function hashOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}
