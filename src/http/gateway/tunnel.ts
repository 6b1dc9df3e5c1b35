/** A connection that was handed over to another protocol: bytes pass both ways until one side ends. */

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pairs } from '../../lib/header-list.js';
import { requestIdOf } from '../request-id.js';
import { type AnswerHead, billedFields } from './answer-head.js';
import type { CallEnd, CallMeter } from './call-meter.js';
import { createFrames } from './frames.js';

/** The two sides. */
export interface TunnelEnds {
  client: Socket;
  upstream: Duplex;
}

/** What is told of the bytes that pass. */
export interface TunnelCount {
  meter: CallMeter;
  sent(bytes: number): void;
  isWebSocket: boolean;
}

/** The head by which the client learns that it may go on in the other protocol (RFC 9110 15.2.2). */
export function upgradeHead(head: AnswerHead, bill: readonly string[], res: ServerResponse): string {
  const set = Object.entries(res.getHeaders()).map(([name, value]) => `${name}: ${value}`);
  const fields = pairs(['X-Request-Id', requestIdOf(res), ...billedFields(head, bill)]).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const lines = [
    `HTTP/1.1 ${head.status} ${head.statusText}`,
    'Connection: Upgrade',
    `Upgrade: ${head.upgrade}`,
  ];
  return `${[...lines, ...set, ...fields].join('\r\n')}\r\n\r\n`;
}

/** Joins both sides until nothing has passed for `idleMs`, either way. `over` is called once. */
export function openTunnel(
  { client, upstream }: TunnelEnds,
  count: TunnelCount,
  idleMs: number,
  over: (how: CallEnd) => void,
): void {
  const { meter } = count;
  const fromClient = createFrames(() => meter.message('client'));
  const fromUpstream = createFrames(() => meter.message('upstream'));
  let isOver = false;
  const oneEnded = () => client.readableEnded || upstream.readableEnded;
  const bothEnded = () => client.readableEnded && upstream.readableEnded;

  function end(how: CallEnd): void {
    if (isOver) return;
    isOver = true;
    over(how);
  }

  function cut(): void {
    end('upstream-gone');
    client.destroy();
    upstream.destroy();
  }

  client.on('data', (chunk: Buffer) => {
    if (meter.isUsedUp) return cut();
    count.sent(chunk.length);
    if (count.isWebSocket) fromClient.push(chunk);
  });
  upstream.on('data', (chunk: Buffer) => {
    if (meter.isUsedUp) return cut();
    meter.data(chunk);
    if (count.isWebSocket) fromUpstream.push(chunk);
  });
  // A side that has said its last word may still be told much, so the call is over when both have; all else is a side that is gone.
  for (const side of [client, upstream]) side.once('end', () => bothEnded() && end('complete'));
  client.once('error', () => end('client-gone'));
  upstream.once('error', () => end('upstream-gone'));
  client.once('close', () => {
    end(oneEnded() ? 'complete' : 'client-gone');
    upstream.destroy();
  });
  upstream.once('close', () => {
    end(oneEnded() ? 'complete' : 'upstream-gone');
    // What it said before it ended is still on its way.
    if (upstream.readableEnded) client.end(() => client.destroy());
    else client.destroy();
  });
  // All that passes goes over the client's connection, whoever says it.
  client.setTimeout(idleMs, () => client.destroy());
  client.pipe(upstream);
  upstream.pipe(client);
}
