/** `Idempotency-Key` on paid calls, at the running daemon. */

import { describe, expect, it } from 'vitest';
import { openDaemon } from '../support/daemon.js';
import { eventually } from '../support/eventually.js';

async function openShop() {
  const daemon = await openDaemon();
  const { id } = await daemon.json<{ id: string }>('customers create --email ada@example.com --subscribe');
  const { key } = await daemon.json<{ key: string }>(`keys create --customer ${id}`);
  const call = (
    idempotencyKey: string,
    init: RequestInit = {},
    path = '/api',
    apiKey = key,
  ): Promise<Response> =>
    fetch(`${daemon.url}${path}`, {
      ...init,
      headers: { 'x-api-key': apiKey, 'idempotency-key': idempotencyKey },
    });
  async function units(): Promise<number> {
    return (await daemon.json<{ total: { units: number } }>('usage')).total.units;
  }
  return { daemon, customer: id, key, call, units };
}

describe('an Idempotency-Key', () => {
  it('bills the same request once, and answers it as it was answered', async () => {
    const { daemon, key, call, units } = await openShop();
    const first = await call('k', { method: 'POST', body: 'a' }, '/api/x?y=1');
    expect(first.headers.has('idempotent-replayed')).toBe(false);
    const body = await first.text();
    await fetch(`${daemon.url}/api`, { headers: { 'x-api-key': key } });
    for (const path of ['/api/x?y=1', `/api/x?apiKey=${key}&y=1`]) {
      const again = await call('k', { method: 'POST', body: 'a' }, path);
      expect(again.status).toBe(200);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(again.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(again.headers.get('meterctl-units')).toBe('1');
      expect(await again.text()).toBe(body);
    }
    expect(await units()).toBe(2);
  });

  it.each<[string, RequestInit, string]>([
    ['method', { method: 'PUT', body: 'a' }, '/api'],
    ['path', { method: 'POST', body: 'a' }, '/api/other'],
    ['query', { method: 'POST', body: 'a' }, '/api?y=1'],
    ['body', { method: 'POST', body: 'b' }, '/api'],
  ])('belongs to one %s', async (_, init, path) => {
    const { call, units } = await openShop();
    await call('k', { method: 'POST', body: 'a' });
    const other = await call('k', init, path);
    expect(other.status).toBe(422);
    expect(await other.json()).toMatchObject({ code: 'idempotency_key_mismatch' });
    expect(await units()).toBe(1);
  });

  it('belongs to one customer, whichever of its keys is used', async () => {
    const { daemon, customer, call, units } = await openShop();
    const second = await daemon.json<{ key: string }>(`keys create --customer ${customer}`);
    await call('k');
    expect((await call('k', {}, '/api', second.key)).headers.get('idempotent-replayed')).toBe('true');
    const { id } = await daemon.json<{ id: string }>('customers create --email bob@example.com --subscribe');
    const other = await daemon.json<{ key: string }>(`keys create --customer ${id}`);
    expect((await call('k', {}, '/api', other.key)).headers.has('idempotent-replayed')).toBe(false);
    expect(await units()).toBe(2);
  });

  it('carries out one of many at once', async () => {
    const { call, units } = await openShop();
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => call('k', { method: 'POST', body: 'a' })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set(statuses.includes(409) ? [200, 409] : [200]));
    const done = answers.filter(({ status }) => status === 200);
    expect(done.filter(({ headers }) => !headers.has('idempotent-replayed'))).toHaveLength(1);
    const refused = answers.find(({ status }) => status === 409);
    if (refused) expect(await refused.json()).toMatchObject({ code: 'idempotency_in_progress' });
    expect(await units()).toBe(1);
    expect((await call('k', { method: 'POST', body: 'a' })).status).toBe(200);
  });

  it('carries out one of two that come to two daemons at once, and repeats its answer at both', async () => {
    const { daemon, customer, key, units } = await openShop();
    await daemon.json(`limits set ${customer} --quota 100/month --max-in-flight 5`);
    const urls = [daemon.url, await daemon.openSecond()];
    for (let round = 0; round < 4; round += 1) {
      const headers = { 'x-api-key': key, 'idempotency-key': `k${round}` };
      const call = async (url: string) => {
        const answer = await fetch(`${url}/api`, { headers });
        return { answer, isRepeat: answer.headers.has('idempotent-replayed'), text: await answer.text() };
      };
      const both = await Promise.all(urls.map(call));
      const first = both.filter(({ answer, isRepeat }) => answer.status === 200 && !isRepeat);
      expect(first).toHaveLength(1);
      for (const { answer, isRepeat, text } of both) {
        if (answer.status === 200) continue;
        expect([answer.status, isRepeat]).toEqual([409, false]);
        expect(JSON.parse(text)).toMatchObject({ code: 'idempotency_in_progress' });
      }
      for (const { answer, isRepeat, text } of await Promise.all(urls.map(call))) {
        expect([isRepeat, text]).toEqual([true, first[0]?.text]);
        // It holds nothing of what it did not use.
        expect(answer.headers.get('ratelimit')).toContain('"concurrency";r=5');
      }
    }
    expect(await units()).toBe(4);
  });

  it('takes nothing from limits again, and is free after a refusal', async () => {
    const { daemon, customer, call } = await openShop();
    await daemon.json(`limits set ${customer} --quota 1/month`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await call('k')).status).toBe(200);
    expect((await call('k')).status).toBe(200);
    expect((await call('l')).status).toBe(429);
    await daemon.json(`limits set ${customer} --quota 2/month`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const later = await call('l');
    expect([later.status, later.headers.has('idempotent-replayed')]).toEqual([200, false]);
  });

  it('has a repeat say how limits stand now, and take nothing of them', async () => {
    const { daemon, customer, call } = await openShop();
    await call('old');
    await daemon.json(`limits set ${customer} --rate 10/day --quota 100/month --max-in-flight 5`);
    const said = ({ headers }: Response) => ({
      policy: headers.get('ratelimit-policy')?.replace(/;w=\d+/g, ''),
      limits: headers.get('ratelimit')?.replace(/;t=\d+/g, ''),
      tightest: [headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining')],
    });
    const policy = '"concurrency";q=5;qu="concurrent-requests", "rate";q=10, "quota";q=100';
    await eventually(async () => {
      const limits = '"concurrency";r=5, "rate";r=10, "quota";r=99';
      expect(said(await call('old'))).toEqual({ policy, limits, tightest: ['10', '10'] });
    });
    await call('new');
    for (let again = 0; again < 3; again += 1) {
      const limits = '"concurrency";r=5, "rate";r=9, "quota";r=98';
      expect(said(await call('new'))).toEqual({ policy, limits, tightest: ['10', '9'] });
    }
  });

  it.each([
    ['x'.repeat(256), 400, 'invalid_request'],
    ['a\tb', 400, 'invalid_request'],
  ])('is 1 to 255 printable characters, unlike %j', async (idempotencyKey, status, code) => {
    const { call, units } = await openShop();
    const answer = await call(idempotencyKey);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
    expect((await call('x'.repeat(255))).status).toBe(200);
    expect(await units()).toBe(1);
  });

  it('takes bodies that can be read whole', async () => {
    const { call, units } = await openShop();
    const answer = await call('k', { method: 'POST', body: new Uint8Array(1024 * 1024 + 1) });
    expect(answer.status).toBe(413);
    expect((await call('k', { method: 'POST', body: new Uint8Array(1024 * 1024) })).status).toBe(200);
    expect(await units()).toBe(1);
  });
});
