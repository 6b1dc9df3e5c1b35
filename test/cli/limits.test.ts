import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';

async function ready(config: Record<string, unknown> = {}) {
  const folder = createTestFolder();
  const line = createCommandLine(folder);
  await line.json(['init', '--product', 'Fire API', '--unit', 'call', '--price', '0.05']);
  const path = join(folder, 'meterctl.json');
  const { id } = await line.json<{ id: string }>('customers create --email ada@example.com --subscribe');
  const written = JSON.parse(readFileSync(path, 'utf8')) as { stripe: { price: string } };
  writeFileSync(path, JSON.stringify({ ...written, ...config }));
  return { ...line, customer: id, price: written.stripe.price };
}

const nothing = {
  rate: null,
  quota: null,
  max_in_flight: null,
  spend_cap: null,
  prepaid_units: null,
  currency: 'usd',
  used: { quota: null, spend: null, prepaid_units: null },
};

describe('limits', () => {
  it('are none by default', async () => {
    const { json, run, customer } = await ready();
    expect(await json(`limits show ${customer}`)).toEqual({
      customer,
      ...nothing,
      from: { rate: null, quota: null, max_in_flight: null, spend_cap: null, prepaid_units: null },
    });
    expect((await run(`limits show ${customer}`)).out).toMatch(/rate +none\n/);
  });

  it('are set one by one, shown with what is used of them, lifted, and taken away', async () => {
    const { json, run, customer } = await ready();
    await json(`usage record --customer ${customer} --units 30`);
    const all = `--rate 600/min --quota 1000/month --max-in-flight 4 --spend-cap 50.00 --prepaid-units 200`;
    expect(await json(`limits set ${customer} ${all}`)).toMatchObject({
      ...{ rate: '600/min', quota: '1000/month', max_in_flight: 4, spend_cap: '50.00', prepaid_units: 200 },
      used: { quota: 30, spend: '1.50', prepaid_units: 0 },
      from: { rate: 'customer', spend_cap: 'customer' },
    });
    expect((await run(`limits show ${customer}`)).out).toMatch(/spend cap +50.00 USD, 1.50 USD used\n/);
    expect(await json(`limits set ${customer} --rate none --quota 5/hour`)).toMatchObject({
      ...{ rate: null, quota: '5/hour', max_in_flight: 4, spend_cap: '50.00' },
    });
    expect(await json(`limits set ${customer} --none`)).toMatchObject(nothing);
    const { data } = await json<{ data: { subject: string }[] }>('audit list --action limits.set');
    expect(data.map(({ subject }) => subject)).toEqual([customer, customer, customer]);
  });

  it('may allow as many units as tokens or bytes come to', async () => {
    const units = 999_999_999_999;
    const { json, run, customer } = await ready({
      limits: { quota: `${units}/period`, prepaidUnits: units },
    });
    const large = { quota: `${units}/period`, prepaid_units: units };
    expect(await json(`limits show ${customer}`)).toMatchObject(large);
    expect(await json(`limits set ${customer} --quota ${units}/period`)).toMatchObject(large);
    for (const limit of [`--quota ${units + 1}/day`, '--rate 1000000000/s']) {
      expect((await run(`limits set ${customer} ${limit}`)).code).toBe(2);
    }
  });

  it('come from the plan and from meterctl.json where the customer has none', async () => {
    const config = { limits: { rate: '10/s', spendCap: '5.00', prepaidUnits: 7 } };
    const { json, customer, price } = await ready(config);
    expect(await json(`limits set --plan ${price} --rate 20/s`)).toMatchObject({ plan: price, rate: '20/s' });
    await json(`limits set ${customer} --prepaid-units none`);
    expect(await json(`limits show ${customer}`)).toMatchObject({
      ...{ rate: '20/s', spend_cap: '5.00', prepaid_units: null },
      from: { rate: 'plan', spend_cap: 'config', prepaid_units: null },
    });
  });

  it('hold for a plan whose id somebody chose, as for any price; a mistyped one is told of', async () => {
    const { json, run, price } = await ready();
    const { code, err } = await run('limits set --plan gold --rate 20/s');
    expect([code, err]).toEqual([0, expect.stringMatching(/^No subscription here has the price gold/)]);
    expect((await run(`limits set --plan ${price} --rate 20/s`)).err).toBe('');
    expect(await json('limits show --plan gold')).toMatchObject({ plan: 'gold', rate: '20/s' });
  });

  it('may hold a key to less', async () => {
    const { json, run, customer } = await ready();
    const { id } = await json<{ id: string }>(`keys create --customer ${customer} --quota 9/day`);
    expect(await json(`limits show --key ${id}`)).toMatchObject({
      key: id,
      quota: '9/day',
      used: { quota: 0 },
    });
    expect(await json(`limits set --key ${id} --rate 1/s`)).toMatchObject({ rate: '1/s', quota: '9/day' });
    const { code, err } = await run(`limits set --key ${id} --spend-cap 1.00`);
    expect([code, err]).toEqual([2, expect.stringMatching(/by customer/)]);
  });

  it.each([
    ['limits set', 2, /Name one customer/],
    ['limits set cus_none --rate 1/s', 4, /no customer/],
    ['limits set --key key_none --rate 1/s', 4, /no key/],
    ['limits show cus_none', 4, /no customer/],
    ['limits set CUSTOMER', 2, /Nothing is to be set/],
    ['limits set CUSTOMER --none --rate 1/s', 2, /leaves nothing/],
    ['limits set CUSTOMER --key key_1 --rate 1/s', 2, /Name one customer/],
    ['limits set CUSTOMER --rate 10', 2, /rate such as/],
    ['limits set CUSTOMER --rate 0/s', 2, /rate such as/],
    ['limits set CUSTOMER --quota 5/fortnight', 2, /quota such as/],
    ['limits set CUSTOMER --max-in-flight 0', 2, /whole number from 1/],
    ['limits set CUSTOMER --spend-cap -1', 2, /amount|argument missing/],
    ['limits set CUSTOMER --spend-cap 1.005', 2, /smallest unit/],
    ['limits set CUSTOMER --prepaid-units many', 2, /whole number/],
  ])('refuses %s', async (line, exitCode, says) => {
    const { run, customer } = await ready();
    const { code, err } = await run(line.replace('CUSTOMER', customer));
    expect(err).toMatch(says);
    expect(code).toBe(exitCode);
  });

  it.each([
    [{ rate: '10' }, /limits.rate must be a rate/],
    [{ quota: '10/year' }, /limits.quota must be a quota/],
    [{ maxInFlight: 0 }, /limits.maxInFlight must be a whole number/],
    [{ spendCap: '1.001' }, /limits.spendCap cannot be charged/],
    [{ spendcap: '5' }, /limits.spendcap is not a setting[\s\S]*Did you mean limits.spendCap/],
  ])('are checked in meterctl.json: %j', async (limits, says) => {
    const { run } = await ready({ limits });
    const { code, err } = await run('config');
    expect(err).toMatch(says);
    expect(code).toBe(2);
  });
});
