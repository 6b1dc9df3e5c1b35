/** A customer's whole life by the real program: buys, is suspended, is cancelled with all he used billed, and comes back. */

import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { submitForm } from '../support/form.js';
import { openShop } from '../support/shop.js';

interface Cancelled {
  status: string;
  cancelled: string[];
  pending_units: number;
}

it('a customer comes, goes and comes back, and keeps his key', async () => {
  const shop = await openShop();
  const { key, customer } = await shop.buy('ada@example.com');
  const headers = { authorization: `Bearer ${key}` };
  let served = 0;
  const call = async () => {
    const { status } = await fetch(`${shop.url}/api`, { headers });
    if (status === 200) served += 1;
    return status;
  };
  expect([await call(), await call()]).toEqual([200, 200]);

  await shop.program.json(['customers', 'suspend', customer, '--yes']);
  await eventually(async () => expect(await call()).toBe(403));
  await shop.program.json(['customers', 'resume', customer]);
  await eventually(async () => expect(await call()).toBe(200));

  const order = () => fetch(`${shop.url}/checkout`, { method: 'POST', headers });
  expect((await order()).status).toBe(409);
  const cancel = ['customers', 'cancel', customer, '--yes'];
  const cancelled = await shop.program.json<Cancelled>(cancel);
  expect(cancelled).toMatchObject({ status: 'inactive', pending_units: 0 });
  expect(cancelled.cancelled).toHaveLength(1);
  expect(await shop.program.json<Cancelled>(cancel)).toMatchObject({ cancelled: [] });
  expect(await call()).toBe(402);
  const { total } = await shop.program.json<{ total: object }>(['usage', '--customer', customer]);
  expect(total).toMatchObject({ units: served, delivered: served, pending: 0 });

  const { url } = (await (await order()).json()) as { url: string };
  expect((await submitForm(url)).status).toBe(303);
  await eventually(async () => expect(await call()).toBe(200));
  const { data } = await shop.program.json<{ data: { id: string }[] }>(['customers', 'list']);
  expect(data.map(({ id }) => id)).toEqual([customer]);
  const inbox = await shop.program.json<{ data: { type: string }[] }>(['webhooks', 'list', '--limit', '200']);
  expect(inbox.data.map(({ type }) => type)).toContain('checkout.session.completed');
  expect(await shop.program.json(['webhooks', 'sync'])).toMatchObject({ missed: 0, postponed: 0 });
});
