/** The main job by the real program: from an empty folder to a coming invoice, and through a restart. */

import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { createTestFolder } from '../support/folder.js';
import { submitForm } from '../support/form.js';
import { createProgram, type Program } from '../support/program.js';

const init = [
  'init',
  '--product',
  'Fire API',
  '--unit',
  'call',
  '--price',
  '1.00',
  '--currency',
  'usd',
  '--event-name',
  'fire_calls',
  '--interval',
  'month',
];

interface Invoice {
  amount_due: string;
  pending_units: number;
  lines: { quantity: number; amount: string }[];
}

interface Usage {
  total: { units: number; requests: number; delivered: number; pending: number };
}

function call(url: string, headers: Record<string, string> = {}, path = '/api'): Promise<Response> {
  return fetch(`${url}${path}`, { headers });
}

async function buy(url: string): Promise<{ key: string; successUrl: string }> {
  const session = (await (await fetch(`${url}/checkout`, { method: 'POST' })).json()) as {
    id: string;
    url: string;
  };
  expect(session.id).toMatch(/^cs_/);
  const paid = await submitForm(session.url, { email: 'ada@example.com', name: 'Ada' });
  expect(paid.status).toBe(303);
  const successUrl = paid.headers.get('location')!;
  expect(successUrl).toBe(`${url}/success?session_id=${session.id}`);
  const page = await (await submitForm(successUrl)).text();
  const key = /<code id="api-key">([^<]+)<\/code>/.exec(page)?.[1];
  expect(key).toMatch(/^mk_test_/);
  return { key: key!, successUrl };
}

async function settled(program: Program): Promise<Usage> {
  return eventually(async () => {
    const usage = await program.json<Usage>(['usage']);
    expect(usage.total.pending).toBe(0);
    return usage;
  });
}

describe('the main job', () => {
  it('goes from init to the invoice, and survives a restart', async () => {
    const program = createProgram(createTestFolder());

    const first = await program.json<{ created: string[]; price: { id: string } }>(init);
    expect(first.created).toEqual(expect.arrayContaining(['meter', 'product', 'price']));
    const second = await program.json<{ created: string[]; price: { id: string } }>(init);
    expect(second).toMatchObject({ created: [], price: { id: first.price.id } });

    const daemon = await program.serve();
    expect((await call(daemon.url)).status).toBe(401);
    const { key, successUrl } = await buy(daemon.url);

    const answers = [
      await call(daemon.url, { authorization: `Bearer ${key}` }),
      await call(daemon.url, { 'x-api-key': key }, '/api/anything?at=all'),
      await call(daemon.url, {}, `/api?apiKey=${key}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await answers[2]!.json()).toEqual({
      data: '🔥🔥🔥🔥🔥🔥🔥🔥',
      usage: { units: 1, period_units: 3 },
    });

    expect(await (await fetch(successUrl)).text()).not.toContain(key);
    expect((await settled(program)).total).toMatchObject({ units: 3, requests: 3, delivered: 3 });
    const customers = await program.json<{ data: { id: string; email: string }[] }>(['customers', 'list']);
    expect(customers.data).toMatchObject([{ email: 'ada@example.com', subscription: { status: 'active' } }]);
    const customer = customers.data[0]!.id;
    expect(await program.json<Invoice>(['invoice', customer])).toMatchObject({
      amount_due: '3.00',
      pending_units: 0,
      lines: [{ quantity: 3, amount: '3.00' }],
    });
    const own = await call(daemon.url, { authorization: `Bearer ${key}` }, `/usage/${customer}`);
    expect(await own.json()).toMatchObject({ customer, amount_due: '3.00', period_units: 3 });
    expect((await call(daemon.url, { authorization: `Bearer ${key}` }, '/usage/cus_other')).status).toBe(403);

    expect(await daemon.stop()).toBe(0);
    const again = await program.serve();
    expect(await (await call(again.url, { authorization: `Bearer ${key}` })).json()).toMatchObject({
      usage: { period_units: 4 },
    });
    expect((await settled(program)).total).toMatchObject({ units: 4, delivered: 4 });
  });

  it('stops a key within a second of its revocation by another process', async () => {
    const program = createProgram(createTestFolder());
    await program.json(init);
    const { id } = await program.json<{ id: string }>([
      'customers',
      'create',
      '--email',
      'bob@example.com',
      '--subscribe',
    ]);
    const created = await program.json<{ id: string; key: string }>([
      'keys',
      'create',
      '--customer',
      id,
      '--name',
      'ci',
    ]);
    const daemon = await program.serve();
    const headers = { authorization: `Bearer ${created.key}` };
    expect((await call(daemon.url, headers)).status).toBe(200);
    expect((await program.run(['keys', 'verify'], { stdin: created.key })).code).toBe(0);
    await program.json(['keys', 'revoke', created.id]);
    const revokedAtMs = Date.now();
    await eventually(async () => expect((await call(daemon.url, headers)).status).toBe(401));
    expect(Date.now() - revokedAtMs).toBeLessThan(1_000);
    expect(await (await call(daemon.url, headers)).json()).toMatchObject({ code: 'revoked_api_key' });
    expect((await program.run(['keys', 'verify'], { stdin: created.key })).code).toBe(3);
  });
});
