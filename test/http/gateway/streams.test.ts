/** Streams without an end of their own: server-sent events, WebSockets, and what a crash leaves of them. */

import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'undici';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { openSubscribedProgram } from '../../support/subscribed-program.js';
import { openGateway, openUpstream, sendRaw } from './open-gateway.js';

/** One whole frame of a WebSocket, unmasked: what small messages of a client hold. */
function unmasked(frame: Buffer): { opcode: number; payload: Buffer; rest: Buffer } {
  const length = frame.readUInt8(1) & 0x7f;
  const [start, size] = length === 126 ? [4, frame.readUInt16BE(2)] : [2, length];
  const mask = frame.subarray(start, start + 4);
  const payload = frame
    .subarray(start + 4, start + 4 + size)
    .map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return {
    opcode: frame.readUInt8(0) & 0x0f,
    payload: Buffer.from(payload),
    rest: frame.subarray(start + 4 + size),
  };
}

function framed(opcode: number, payload: Buffer): Buffer {
  const head = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...head]), payload]);
}

/** Says everything back. */
function echo(server: Server): void {
  server.on('upgrade', (req, socket: Duplex) => {
    const accept = createHash('sha1')
      .update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.on('error', () => undefined);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n` +
        `X-Customer: ${req.headers['meterctl-customer']}\r\nMeterctl-Units: 3\r\n\r\n`,
    );
    let buffered = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length > 0) {
        const { opcode, payload, rest } = unmasked(buffered);
        buffered = Buffer.from(rest);
        socket.write(framed(opcode, payload));
        if (opcode === 8) socket.end();
      }
    });
  });
}

async function openSocket(url: string, key: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: { 'x-api-key': key } });
  await once(socket, 'open');
  return socket;
}

async function say(socket: WebSocket, text: string): Promise<string> {
  const answer = once(socket, 'message');
  socket.send(text);
  const [message] = (await answer) as [{ data: string }];
  return message.data;
}

describe('a WebSocket', () => {
  it('is billed by the connection, before it opens', async () => {
    const gateway = await openGateway(await openUpstream((_req, res) => res.end(), echo));
    const socket = await openSocket(`${gateway.url}/api/ws`, gateway.key);
    expect(await gateway.usage()).toEqual({ units: 3, requests: 1 });
    for (const text of ['hello', 'ä'.repeat(10_000)]) expect(await say(socket, text)).toBe(text);
    socket.close();
    await once(socket, 'close');
    expect(await gateway.usage()).toEqual({ units: 3, requests: 1 });
  });

  it.each([
    ['client', 5],
    ['upstream', 5],
    ['both', 10],
  ] as const)('is billed by the message where the route says so: from %s', async (from, units) => {
    const gateway = await openGateway(await openUpstream((_req, res) => res.end(), echo), {
      routes: [{ path: '/ws', units: { by: 'messages', from } }],
    });
    const socket = await openSocket(`${gateway.url}/ws`, gateway.key);
    for (let message = 0; message < 5; message += 1) await say(socket, 'x'.repeat(message * 1_000 + 1));
    expect(await gateway.usage()).toEqual({ units: 0, requests: 0 });
    socket.close();
    await eventually(async () => expect(await gateway.usage()).toEqual({ units, requests: 1 }));
  });

  it('is refused as any other call, and the upstream may refuse it too', async () => {
    const gateway = await openGateway(
      await openUpstream((_req, res) => {
        res.statusCode = 426;
        res.end('no such protocol');
      }),
    );
    const ask = (key: string) =>
      sendRaw(
        gateway.url,
        `GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\nConnection: Upgrade\r\nUpgrade: other/1\r\n\r\n`,
      );
    expect(await ask('wrong')).toMatch(/^HTTP\/1\.1 401 .*Connection: close/s);
    expect(await ask(gateway.key)).toMatch(/^HTTP\/1\.1 426 .*Connection: close.*no such protocol/s);
    expect(await gateway.usage()).toEqual({ units: 0, requests: 0 });
  });
});

describe('server-sent events', () => {
  it('come one by one: each is here before the next one is sent', async () => {
    const arrived = new EventEmitter();
    const gateway = await openGateway(
      await openUpstream(async (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.flushHeaders();
        await once(arrived, 'head');
        for (let event = 0; event < 5; event += 1) {
          const seen = once(arrived, 'event');
          res.write(`data: ${event}\n\n`);
          await seen;
        }
        res.end();
      }),
      { routes: [{ path: '/stream', units: { by: 'events' } }] },
    );
    const answer = await gateway.call('/stream');
    arrived.emit('head');
    const events: string[] = [];
    for await (const chunk of answer.body ?? []) {
      events.push(Buffer.from(chunk as Uint8Array).toString());
      arrived.emit('event');
    }
    expect(events).toEqual([0, 1, 2, 3, 4].map((event) => `data: ${event}\n\n`));
    await eventually(async () => expect(await gateway.usage()).toEqual({ units: 5, requests: 1 }));
  });
});

describe('a daemon', () => {
  it('that is killed with open streams bills each once, by its policy', async () => {
    const upstream = await openUpstream((_req, res) => {
      res.on('error', () => undefined);
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: 1\n\ndata: 2\n\n');
    });
    const routes = (['delivered', 'upstream', 'none'] as const).map((onAbort) => ({
      path: `/${onAbort}`,
      units: { by: 'events' },
      onAbort,
    }));
    const { program, key } = await openSubscribedProgram({ routes });
    const daemon = await program.serve(['--upstream', upstream]);
    const headers = { 'x-api-key': key };
    const answers = await Promise.all(
      routes.flatMap(({ path }) => [1, 2].map(() => fetch(`${daemon.url}${path}`, { headers }))),
    );
    const calls = await Promise.all([1, 2, 3].map(() => fetch(`${daemon.url}/api`, { headers })));
    expect([...answers, ...calls].map(({ status }) => status)).toEqual(Array(9).fill(200));
    await sleep(2_500);
    await daemon.stop('SIGKILL');

    const usage = async () =>
      (await program.json<{ total: { units: number; requests: number } }>(['usage'])).total;
    expect(await usage()).toMatchObject({ units: 3, requests: 3 });
    await program.serve(['--upstream', upstream]);
    await eventually(async () => expect(await usage()).toMatchObject({ units: 11, requests: 9 }), 40_000);
    await sleep(2_000);
    expect(await usage()).toMatchObject({ units: 11, requests: 9 });
  }, 90_000);

  it('that is told to end lets streams go on for a while, then ends them, and bills them', async () => {
    const gateway = await openGateway(
      await openUpstream((_req, res) => {
        res.on('error', () => undefined);
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: 1\n\n');
      }, echo),
      { routes: [{ path: '/stream', units: { by: 'events' } }] },
    );
    const stream = await gateway.call('/stream');
    const socket = await openSocket(`${gateway.url}/api/ws`, gateway.key);
    const closed = once(socket, 'close');
    const startMs = Date.now();
    await gateway.stop();
    expect(Date.now() - startMs).toBeGreaterThan(9_000);
    await expect(stream.text()).rejects.toThrow();
    await closed;
    expect(await gateway.usage()).toEqual({ units: 4, requests: 2 });
  });
});
