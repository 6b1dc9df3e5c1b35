/** Checkout when something is in the way: Stripe in trouble, strangers who ask too much, addresses that were pasted. */

import { describe, expect, it } from 'vitest';
import { openDaemon, type TestDaemon } from '../support/daemon.js';
import { submitForm } from '../support/form.js';
import { createVisitor } from '../support/visitor.js';

async function completeOrder(daemon: TestDaemon): Promise<string> {
  const answer = await fetch(`${daemon.url}/checkout`, { method: 'POST' });
  const { id, url } = (await answer.json()) as { id: string; url: string };
  await submitForm(url, { email: 'ada@example.com' });
  return id;
}

describe('a buyer', () => {
  it.each<[string, (daemon: TestDaemon) => Promise<unknown>]>([
    ['cannot be reached', async (daemon) => daemon.emulator.account.faults.set({ resetBefore: 1 })],
    ['answers 500', async (daemon) => daemon.emulator.account.faults.set({ serverError: 1 })],
    [
      'does not sell at the price any more',
      async ({ stripe }) => {
        const [price] = (await stripe.prices.list()).data;
        await stripe.prices.update(price!.id, { active: false });
      },
    ],
  ])('learns what to do when Stripe %s, and the operator why', async (_name, upset) => {
    const daemon = await openDaemon({ webhooks: false });
    await upset(daemon);
    const visitor = createVisitor(daemon.url);
    const page = await visitor.post('/checkout', {});
    expect(page.status).toBe(503);
    expect(page.text).toContain('Nothing was charged');
    expect(page.text).not.toMatch(/asked to|ECONN|127\.0\.0\.1|price_/);
    const answer = await visitor.post('/checkout', {}, { accept: 'application/json' });
    expect(JSON.parse(answer.text)).toMatchObject({ status: 503, code: 'unavailable' });
    expect(daemon.logged.map(({ fields }) => String(fields.reason)).join()).toContain(
      'open a Checkout session',
    );
  });

  it('who opens the address of the order himself comes to the start page', async () => {
    const { url } = await openDaemon();
    const { status, headers } = await createVisitor(url).get('/checkout');
    expect([status, headers.get('location')]).toEqual([303, '/']);
  });

  it('without a subscription is told both ways to one', async () => {
    const { url, json } = await openDaemon();
    const { id } = await json<{ id: string }>('customers create --email ada@example.com');
    const { key } = await json<{ key: string }>(`keys create --customer ${id}`);
    const refused = await fetch(`${url}/api`, { headers: { 'x-api-key': key } });
    expect(refused.status).toBe(402);
    expect(await refused.json()).toMatchObject({
      code: 'subscription_inactive',
      checkout_url: `${url}/checkout`,
      portal_url: `${url}/portal`,
    });
  });
});

describe('a stranger', () => {
  it('who asks for orders that do not exist does not use up what Stripe answers in a second', async () => {
    const daemon = await openDaemon();
    const id = await completeOrder(daemon);
    const page = (session: string) => createVisitor(daemon.url).get(`/success?session_id=${session}`);
    expect((await page(id)).text).toContain('You are subscribed');
    const statuses: number[] = [];
    for (let count = 0; count < 40; count += 1) statuses.push((await page(`cs_test_${count}`)).status);
    expect(statuses.slice(0, 29)).toEqual(Array(29).fill(404));
    expect(statuses).toContain(429);
    const refused = await page('cs_test_none');
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(refused.headers.get('refresh')).toBe(`${seconds}; url=/success?session_id=cs_test_none`);
    // What is known here costs nobody anything.
    expect((await page(id)).text).toContain('You are subscribed');
  });
});
