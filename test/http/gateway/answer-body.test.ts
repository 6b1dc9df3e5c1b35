/** The end of an answer's body, as a client takes it that does not read. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type Response } from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { AnswerBody } from '../../../src/http/gateway/answer-body.js';
import { openUpstream, sendRaw } from './open-gateway.js';

const flow = { pause: () => undefined, resume: () => undefined };

/** Serves answers that come in one piece of `bytes`, and a slow one. `answered` hears of each. */
function openServer(bytes: number, answered: (res: Response) => void = () => undefined): Promise<string> {
  const app = express();
  app.get('/slow', async (_req, res) => {
    await sleep(1_500);
    res.end('at last');
  });
  app.get('/', (_req, res) => {
    answered(res);
    const body = new AnswerBody(res, flow, 500);
    body.hold(Buffer.alloc(bytes, 'x'), Number.POSITIVE_INFINITY);
    body.end([], () => undefined);
  });
  return openUpstream(app);
}

it('a client that never takes the rest of its answer is taken for gone', async () => {
  let closed: Promise<unknown> | undefined;
  // More than the kernel takes off our hands.
  const { hostname, port } = new URL(
    await openServer(64 * 1024 * 1024, (res) => {
      closed = once(res, 'close');
    }),
  );
  const client = connect(Number(port), hostname);
  onTestFinished(() => void client.destroy());
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(client, 'readable');
  await closed;
});

it('the next answer on the connection may take its time', async () => {
  const url = await openServer(8 * 1024 * 1024);
  const [first, second] = ['GET /', 'GET /slow'].map((line) => `${line} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const answers = await sendRaw(url, `${first}${second}`, 'at last');
  expect(answers.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
});
