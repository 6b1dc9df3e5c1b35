/** Calls with an Idempotency-Key whose clients hang up, or whose answers are not kept: no key is taken for ever, and no call runs twice. */

import { once } from 'node:events';
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

  it('while events come ends them, as they are not kept for a repeat, and pays as the route says', async () => {
    const asked: ServerResponse[] = [];
    const upstream = await openUpstream((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      asked.push(res);
    });
    const gateway = await openGateway(upstream, { routes: [{ path: '/api', units: { by: 'events' } }] });
    const begin = (key: string) => {
      const headers = { 'x-api-key': gateway.key, 'idempotency-key': key };
      const client = request(`${gateway.url}/api`, { headers });
      client.on('error', () => undefined);
      client.end();
      return client;
    };
    const reading = begin('reading');
    await eventually(async () => expect(asked).toHaveLength(1));
    asked[0]?.write('data: x\n\n');
    const [answer] = (await once(reading, 'response')) as [IncomingMessage];
    answer.on('error', () => undefined);
    await once(answer, 'data');
    reading.destroy();
    const early = begin('early');
    await eventually(async () => expect(asked).toHaveLength(2));
    early.destroy();
    await sleep(100);
    asked[1]?.write('data: x\n\n');
    for (const key of ['reading', 'early']) {
      await eventually(async () => {
        const again = await gateway.call('/api', { headers: { 'idempotency-key': key } });
        expect(await again.json()).toMatchObject({ code: 'idempotency_key_reused' });
      });
    }
    for (const res of asked) expect(res.closed).toBe(true);
    expect((await gateway.usage()).requests).toBe(2);
  });

  it('while events come may ask again where the route bills nothing for what is broken off', async () => {
    const asked: ServerResponse[] = [];
    const upstream = await openUpstream((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: x\n\n');
      asked.push(res);
    });
    const routes = [{ path: '/api', units: { by: 'events' }, onAbort: 'none' }];
    const gateway = await openGateway(upstream, { routes });
    const leaving = new AbortController();
    const call = (init: RequestInit = {}) =>
      gateway.call('/api', { headers: { 'idempotency-key': 'k' }, ...init });
    await call({ signal: leaving.signal });
    leaving.abort();
    await eventually(async () => expect(asked[0]?.closed).toBe(true));
    const again = await eventually(async () => {
      const answer = await call();
      expect(answer.status).toBe(200);
      return answer;
    });
    asked[1]?.end();
    expect(await again.text()).toBe('data: x\n\n');
    expect((await gateway.usage()).units).toBe(1);
    const repeat = await call();
    expect([repeat.headers.get('idempotent-replayed'), await repeat.text()]).toEqual(['true', 'data: x\n\n']);
    expect(asked).toHaveLength(2);
  });

  it('while answers wait for an earlier one on the connection ends them all, however many', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    const asked: [IncomingMessage, ServerResponse][] = [];
    const upstream = await openUpstream((...call) => void asked.push(call));
    const gateway = await openGateway(upstream, { limits: { maxInFlight: 12 } });
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    const calls = keys.map(
      (key) => `GET /api HTTP/1.1\r\nHost: x\r\nX-API-Key: ${gateway.key}\r\nIdempotency-Key: ${key}\r\n\r\n`,
    );
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.write(calls.join(''));
    await eventually(async () => expect(asked).toHaveLength(12));
    socket.destroy();
    await sleep(100);
    for (const [, res] of asked) res.end('done');
    for (const key of keys) {
      await eventually(async () => {
        const answer = await gateway.call('/api', { headers: { 'idempotency-key': key } });
        expect([answer.headers.get('idempotent-replayed'), await answer.text()]).toEqual(['true', 'done']);
      });
    }
    await eventually(async () => {
      const answer = await gateway.call('/api', { headers: { 'idempotency-key': 'k0' } });
      expect(answer.headers.get('ratelimit')).toContain('"concurrency";r=12');
    });
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
  });
});

describe('an event stream under a key', () => {
  const event = 'data: x\n\n';

  async function openStream(events: number, config: Record<string, unknown>) {
    let asked = 0;
    const upstream = await openUpstream(async (_req, res) => {
      asked += 1;
      res.writeHead(200, { 'content-type': 'text/event-stream', 'x-run': asked });
      for (let sent = 0; sent < events; sent += 1) {
        res.write(event);
        if (sent < 3) await sleep(5);
      }
      res.end();
    });
    const gateway = await openGateway(upstream, config);
    return { gateway, call: () => gateway.call('/api', { headers: { 'idempotency-key': 'k' } }) };
  }

  it.each([
    ['fixed', undefined, 'delivered', 1],
    ['fixed', undefined, 'none', 1],
    ['counted', { by: 'events' }, 'delivered', 5],
    ['counted', { by: 'events' }, 'upstream', 5],
  ])('is repeated as it was once it has come to its end (%s, %o, %s)', async (_, units, onAbort, billed) => {
    const { gateway, call } = await openStream(5, { routes: [{ path: '/api', units, onAbort }] });
    const first = await call();
    expect(await first.text()).toBe(event.repeat(5));
    for (let again = 0; again < 2; again += 1) {
      const repeat = await call();
      expect(repeat.headers.get('idempotent-replayed')).toBe('true');
      expect(repeat.headers.get('content-type')).toBe('text/event-stream');
      expect(repeat.headers.get('x-run')).toBe('1');
      expect(repeat.headers.get('meterctl-units')).toBe(String(billed));
      expect(await repeat.text()).toBe(event.repeat(5));
    }
    expect(await gateway.usage()).toEqual({ units: billed, requests: 1 });
  });

  it('tells its price with its head where that is known', async () => {
    const { call } = await openStream(5, {});
    expect((await call()).headers.get('meterctl-units')).toBe('1');
  });

  it('that is too long to be kept is not carried out again', async () => {
    const { gateway, call } = await openStream(10_000, {});
    expect(await (await call()).text()).toBe(event.repeat(10_000));
    const repeat = await call();
    expect([repeat.status, await repeat.json()]).toMatchObject([
      409,
      { code: 'idempotency_key_reused', units: 1 },
    ]);
    expect(await gateway.usage()).toEqual({ units: 1, requests: 1 });
  });
});
