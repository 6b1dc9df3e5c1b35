/** The daemon's end while connections stay open: calls that run are finished, and no connection is told to come again. */

import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { openGateway, openUpstream } from './gateway/open-gateway.js';

/** A daemon before an upstream that answers when the test says so, and one connection to it. */
async function openConnection() {
  const asked: ServerResponse[] = [];
  const gateway = await openGateway(await openUpstream((_req, res) => void asked.push(res)));
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  let received = '';
  let hasEnded = false;
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    hasEnded = true;
  });
  return {
    ...{ asked, gateway },
    /** Sends calls, without waiting for answers. */
    send: (calls: number) =>
      socket.write(`GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\n\r\n`.repeat(calls)),
    /** What the answers so far say of their connection. */
    told: () => [...received.matchAll(/^Connection: (.+)\r$/gm)].map(([, said]) => said),
    hasEnded: () => hasEnded,
  };
}

/** Begins to stop. Resolves once nobody can connect any more, with what is settled when the daemon has stopped. */
async function beginToStop(gateway: Awaited<ReturnType<typeof openGateway>>) {
  const stopped = gateway.stop();
  await eventually(() => expect(fetch(gateway.url)).rejects.toThrow());
  return { stopped };
}

it('answers calls that run, and the last one of a connection says that it is', async () => {
  const { gateway, asked, send, told, hasEnded } = await openConnection();
  send(2);
  await eventually(async () => expect(asked).toHaveLength(2));
  const { stopped } = await beginToStop(gateway);
  send(1);
  await eventually(async () => expect(asked).toHaveLength(3));
  for (const res of asked) res.end('done');
  await eventually(async () => expect(hasEnded()).toBe(true));
  expect(told()).toEqual(['keep-alive', 'keep-alive', 'close']);
  await stopped;
  expect(await gateway.usage()).toEqual({ units: 3, requests: 3 });
});

it('sells nothing behind the last answer of a connection', async () => {
  const { gateway, asked, send, told, hasEnded } = await openConnection();
  send(1);
  await eventually(async () => expect(asked).toHaveLength(1));
  const { stopped } = await beginToStop(gateway);
  asked[0]?.write('begun');
  await eventually(async () => expect(told()).toEqual(['close']));
  send(1);
  await sleep(100);
  asked[0]?.end();
  await eventually(async () => expect(hasEnded()).toBe(true));
  await stopped;
  expect(asked).toHaveLength(1);
  expect(await gateway.usage()).toEqual({ units: 1, requests: 1 });
});

it('answers once more on a connection that was told to stay', async () => {
  const { gateway, asked, send, told, hasEnded } = await openConnection();
  send(1);
  await eventually(async () => expect(asked).toHaveLength(1));
  asked[0]?.write('begun');
  await eventually(async () => expect(told()).toEqual(['keep-alive']));
  const { stopped } = await beginToStop(gateway);
  send(1);
  await eventually(async () => expect(asked).toHaveLength(2));
  for (const res of asked) res.end();
  await eventually(async () => expect(hasEnded()).toBe(true));
  expect(told()).toEqual(['keep-alive', 'close']);
  await stopped;
  expect(await gateway.usage()).toEqual({ units: 2, requests: 2 });
});
