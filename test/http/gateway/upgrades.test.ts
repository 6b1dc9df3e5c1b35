/** Requests for another protocol: who owns the connection, and when the call is over. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { openGateway, openUpstream, sendRaw } from './open-gateway.js';

const agreed = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other/1\r\n\r\n';

/** An upstream that speaks another protocol with whoever asks for it. `before`: what happens until it agrees. */
function openOther(speak: (socket: Duplex) => void, before?: () => Promise<void>): Promise<string> {
  return openUpstream(
    (_req, res) => res.end('ok'),
    (server) =>
      server.on('upgrade', async (_req, socket: Duplex) => {
        onTestFinished(() => void socket.destroy());
        socket.on('error', () => undefined);
        await before?.();
        socket.write(agreed);
        speak(socket);
      }),
  );
}

function open(url: string, request: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(request);
  return socket;
}

const asking = (key: string, connection = 'Upgrade') =>
  `GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\nConnection: ${connection}\r\nUpgrade: other/1\r\n\r\n`;

describe('a request for another protocol', () => {
  it('that comes before an earlier one was answered ends the connection, and nothing else', async () => {
    const gateway = await openGateway(await openOther((socket) => socket.resume()));
    const health = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
    await sendRaw(gateway.url, health + asking(gateway.key));
    expect((await gateway.call('/api')).status).toBe(200);
  });

  it('is one only where the parser takes it for one, which otherwise goes on with what follows', async () => {
    const gateway = await openGateway(await openOther((socket) => socket.resume()));
    const next = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    for (const connection of ['x-upgrade', 'upgrade;q=1', 'upgrade\xa0']) {
      const request = Buffer.from(asking(gateway.key, connection) + next, 'latin1');
      const answers = await sendRaw(gateway.url, request);
      expect([connection, answers.match(/HTTP\/1\.1 \d+/g)]).toEqual([
        connection,
        ['HTTP/1.1 200', 'HTTP/1.1 200'],
      ]);
    }
    expect((await gateway.call('/healthz')).status).toBe(200);
  });

  it.each([
    ['under an Idempotency-Key', 'delivered', 'Idempotency-Key: once\r\n'],
    ['where all that the upstream does is owed', 'upstream', ''],
  ])('ends with its answer when nobody is left to have it (%s)', async (_where, onAbort, field) => {
    let client: Socket | undefined;
    const gateway = await openGateway(
      await openOther(
        (socket) => socket.resume(),
        async () => {
          client?.resetAndDestroy();
          // Until the gateway has heard of it.
          await sleep(50);
        },
      ),
      { routes: [{ path: '/api', onAbort }], limits: { maxInFlight: 1 } },
    );
    client = open(gateway.url, asking(gateway.key).replace('\r\n\r\n', `\r\n${field}\r\n`));
    await once(client, 'close');
    await eventually(async () => expect((await gateway.call('/api')).status).toBe(200));
    expect((await gateway.usage()).requests).toBe(2);
  });
});

describe('a connection that was handed over', () => {
  it('costs what comes after the client has said its last word, too', async () => {
    const gateway = await openGateway(
      await openOther((socket) => {
        socket.resume();
        // It goes on, as who only has to tell something does.
        socket.on('end', () => socket.end('x'.repeat(5_000)));
      }),
      { routes: [{ path: '/api', units: { by: 'response-bytes', per: 1000 } }] },
    );
    const client = open(gateway.url, asking(gateway.key));
    await once(client, 'data');
    client.end();
    await once(client, 'close');
    await eventually(async () => expect((await gateway.usage()).units).toBe(5));
  });

  it('has no body that its units could stand in, and costs the fallback', async () => {
    const gateway = await openGateway(await openOther((socket) => socket.resume()), {
      routes: [{ path: '/api', units: { by: 'json', pointer: '/units' }, fallbackUnits: 3 }],
    });
    const client = open(gateway.url, asking(gateway.key));
    const [head] = await once(client, 'data');
    expect(String(head)).toMatch(/^HTTP\/1\.1 101 .*\r\nMeterctl-Units: 3\r\n/s);
  });

  it('on which nothing passes for too long is cut, and holds no place any more', async () => {
    const gateway = await openGateway(await openOther((socket) => socket.resume()), {
      gateway: { idleTimeout: '1s' },
      limits: { maxInFlight: 1 },
    });
    const client = open(gateway.url, asking(gateway.key));
    await once(client, 'data');
    expect((await gateway.call('/api')).status).toBe(429);
    await once(client, 'end');
    await eventually(async () => expect((await gateway.call('/api')).status).toBe(200));
  });

  it.each(['client', 'upstream'])('on which only the %s says something is not idle', async (who) => {
    let upstream: Duplex | undefined;
    const gateway = await openGateway(
      await openOther((socket) => {
        upstream = socket.resume();
      }),
      { gateway: { idleTimeout: '2s' } },
    );
    const client = open(gateway.url, asking(gateway.key));
    await once(client, 'data');
    const [speaker, hearer] = who === 'client' ? [client, upstream] : [upstream, client];
    let heard = 0;
    hearer?.on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
    for (let said = 0; said < 40; said += 1) {
      speaker?.write('x');
      await sleep(75);
    }
    await eventually(async () => expect(heard).toBe(40));
    expect(client.closed).toBe(false);
  });
});
