/** Limits as a client meets them: over real connections, at the running daemon. */

import { describe, expect, it } from 'vitest';
import { breakLedger } from '../support/broken-ledger.js';
import { openDaemon } from '../support/daemon.js';
import { eventually } from '../support/eventually.js';
import { flood } from '../support/flood.js';

async function openShop(config: Record<string, unknown> = {}) {
  const daemon = await openDaemon({ config });
  const { id } = await daemon.json<{ id: string }>('customers create --email ada@example.com --subscribe');
  const created = await daemon.json<{ id: string; key: string }>(`keys create --customer ${id}`);
  const call = (init: RequestInit = {}): Promise<Response> =>
    fetch(`${daemon.url}/api`, { ...init, headers: { 'x-api-key': created.key } });
  return { daemon, customer: id, keyId: created.id, key: created.key, call };
}

describe('limits over HTTP', () => {
  it('tell how they stand on every paid answer, and when to come again', async () => {
    const { daemon, customer, call } = await openShop();
    expect((await call()).headers.has('ratelimit')).toBe(false);
    await daemon.json(`limits set ${customer} --rate 2/day --quota 1000/period`);
    const answer = await eventually(async () => {
      const limited = await call();
      expect(limited.headers.has('ratelimit')).toBe(true);
      return limited;
    }, 1_000);
    expect(answer.headers.get('ratelimit-policy')).toMatch(/^"rate";q=2;w=86400, "quota";q=1000;w=\d+$/);
    expect(answer.headers.get('ratelimit')).toMatch(/^"rate";r=1;t=43200, "quota";r=99\d;t=\d+$/);
    expect(answer.headers.get('x-ratelimit-limit')).toBe('2');
    expect(answer.headers.get('x-ratelimit-remaining')).toBe('1');
    expect(answer.headers.get('meterctl-units')).toBe('1');
    await call();
    const refused = await call();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(43_000);
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(await refused.json()).toMatchObject({
      status: 429,
      code: 'rate_limited',
      title: 'Too many requests',
    });
  });

  it('take nothing of a rate from calls that cannot be recorded', async () => {
    const { daemon, call } = await openShop({ limits: { rate: '3/h' } });
    expect((await call()).status).toBe(200);
    const mend = breakLedger(daemon.databasePath);
    for (let each = 0; each < 4; each += 1) expect((await call()).status).toBe(500);
    mend();
    const statuses: number[] = [];
    for (let each = 0; each < 3; each += 1) statuses.push((await call()).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it('answer 402 where money or what was paid for is used up, with the way to mend it', async () => {
    const { daemon, customer, call } = await openShop();
    await daemon.json(`limits set ${customer} --spend-cap 2.00`);
    await eventually(async () => expect((await call()).headers.has('ratelimit')).toBe(true));
    const capped = await eventually(async () => {
      const refused = await call();
      expect(refused.status).toBe(402);
      return refused;
    });
    expect(capped.headers.has('retry-after')).toBe(false);
    expect(await capped.json()).toMatchObject({
      code: 'spend_cap_reached',
      portal_url: `${daemon.url}/portal`,
    });
    await daemon.json(`limits set ${customer} --spend-cap none --prepaid-units 1`);
    await eventually(async () => {
      const refused = await call();
      expect(refused.status).toBe(402);
      expect(await refused.json()).toMatchObject({ code: 'prepaid_exhausted' });
    });
  });

  it('price a spend cap by what the customer pays from the first call on', async () => {
    const { daemon } = await openShop();
    const { id } = await daemon.json<{ id: string }>('customers create --email bob@example.com');
    const { data } = await daemon.stripe.prices.list();
    const { product, recurring } = data[0]!;
    const halfPrice = await daemon.stripe.prices.create({
      currency: 'usd',
      product: String(product),
      unit_amount: 50,
      recurring: { interval: 'month', usage_type: 'metered', meter: String(recurring?.meter) },
    });
    await daemon.stripe.subscriptions.create({
      customer: id,
      items: [{ price: halfPrice.id }],
      collection_method: 'send_invoice',
      days_until_due: 30,
    });
    await daemon.json(`customers sync ${id}`);
    await daemon.json(`limits set ${id} --spend-cap 1.00`);
    const { key } = await daemon.json<{ key: string }>(`keys create --customer ${id}`);
    const call = () => fetch(`${daemon.url}/api`, { headers: { 'x-api-key': key } });
    const answers = await Promise.all([call(), call(), call()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 402]);
  });

  it('follow what other processes record', async () => {
    const { daemon, customer, call } = await openShop({ limits: { quota: '1000/month' } });
    expect((await call()).headers.get('x-ratelimit-remaining')).toBe('999');
    await daemon.json(`usage record --customer ${customer} --units 900`);
    await eventually(async () => {
      const left = Number((await call()).headers.get('x-ratelimit-remaining'));
      expect(left).toBeLessThan(99);
    }, 3_000);
    const used = await daemon.json<{ used: { quota: number } }>(`limits show ${customer}`);
    const next = Number((await call()).headers.get('x-ratelimit-remaining'));
    expect(next).toBe(1_000 - used.used.quota - 1);
  });

  it('let in exactly what is left of 1,000 units, whatever comes at once', { timeout: 120_000 }, async () => {
    const { daemon, customer, key, call } = await openShop({
      limits: {
        quota: '1200/month',
        rate: '1000000/s',
        maxInFlight: 1000,
        spendCap: '5000.00',
        prepaidUnits: 1500,
      },
    });
    await daemon.json(`usage record --customer ${customer} --units 200`);
    expect(await flood(daemon.url, key, { calls: 10_000, connections: 100 })).toEqual({
      200: 1_000,
      429: 9_000,
    });
    expect(await (await call()).json()).toMatchObject({ code: 'quota_exceeded' });
    const { total } = await daemon.json<{ total: { units: number } }>('usage');
    expect(total.units).toBe(1_200);
  });
});
