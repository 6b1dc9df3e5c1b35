/** Calls with an Idempotency-Key whose clients hang up, or whose answers are not kept: no key is taken for ever, and no call runs twice. */

import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { openGateway, openUpstream } from './open-gateway.js';

describe('a client that hangs up on a call under a key', () => {
  it('while the key is being taken leaves it to whoever comes next', async () => {
    const gateway = await openGateway(await openUpstream((_req, res) => res.end('done')));
    await (await gateway.call('/api')).text();
    const { values } = await gateway.json<{ values: { database: { value: string } } }>('config');
    const other = new Sqlite(values.database.value);
    onTestFinished(() => void other.close());
    other.exec('BEGIN IMMEDIATE');
    const headers = { 'idempotency-key': 'k' };
    const client = request(`${gateway.url}/api`, { headers: { ...headers, 'x-api-key': gateway.key } });
    client.on('error', () => undefined);
    client.end();
    await sleep(100);
    client.destroy();
    await sleep(100);
    other.exec('COMMIT');
    await eventually(async () => expect(await (await gateway.call('/api', { headers })).text()).toBe('done'));
  });

  it('while its answer waits for an earlier one on the connection ends both', async () => {
    const asked: [IncomingMessage, ServerResponse][] = [];
    const upstream = await openUpstream((...call) => void asked.push(call));
    const gateway = await openGateway(upstream, { limits: { maxInFlight: 2 } });
    const keys = ['one', 'two'];
    const [first, second] = keys.map(
      (key) => `GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\nIdempotency-Key: ${key}\r\n\r\n`,
    );
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.write(`${first}${second}`);
    await eventually(async () => expect(asked).toHaveLength(2));
    socket.destroy();
    await sleep(100);
    for (const [, res] of asked) res.end('done');
    for (const key of keys) {
      await eventually(async () => {
        const answer = await gateway.call('/api', { headers: { 'idempotency-key': key } });
        expect([answer.headers.get('idempotent-replayed'), await answer.text()]).toEqual(['true', 'done']);
        expect(answer.headers.get('ratelimit')).toContain('"concurrency";r=2');
      });
    }
  });
});

it('says of a stream that its answer was not kept, however short, and asks for no second one', async () => {
  let asked = 0;
  const upstream = await openUpstream((_req, res) => {
    asked += 1;
    res.setHeader('content-type', 'text/event-stream').end('data: x\n\n');
  });
  const gateway = await openGateway(upstream);
  const call = () => gateway.call('/api', { headers: { 'idempotency-key': 'k' } });
  expect(await (await call()).text()).toBe('data: x\n\n');
  const again = await call();
  expect(again.status).toBe(409);
  expect(await again.json()).toMatchObject({
    code: 'idempotency_key_reused',
    detail: expect.stringContaining('a stream'),
    units: 1,
  });
  expect(asked).toBe(1);
});
