/** Requests for another protocol: who owns the connection, and when the call is over. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { openGateway, openUpstream, sendRaw } from './open-gateway.js';

const agreed = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other/1\r\n\r\n';

/** An upstream that speaks another protocol with whoever asks for it. */
function openOther(speak: (socket: Duplex) => void): Promise<string> {
  return openUpstream(
    (_req, res) => res.end('ok'),
    (server) =>
      server.on('upgrade', (_req, socket: Duplex) => {
        onTestFinished(() => void socket.destroy());
        socket.on('error', () => undefined);
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
});
