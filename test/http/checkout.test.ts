import { describe, expect, it } from 'vitest';
import { openDaemon, type TestDaemon } from '../support/daemon.js';
import { eventually } from '../support/eventually.js';
import { submitForm } from '../support/form.js';

interface Session {
  id: string;
  url: string;
}

function order(
  daemon: TestDaemon,
  body: object = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${daemon.url}/checkout`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
    redirect: 'manual',
  });
}

async function open(daemon: TestDaemon, headers: Record<string, string> = {}): Promise<Session> {
  const answer = await order(daemon, {}, headers);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Session;
}

/** Pays on Stripe's page and comes back. */
async function pay(session: Session, method = 'pm_card_visa'): Promise<string> {
  const paid = await submitForm(session.url, { email: 'ada@example.com', payment_method: method });
  expect(paid.status).toBe(303);
  return paid.headers.get('location')!;
}

/** Presses for the key on the success page. */
async function claim(successUrl: string): Promise<string> {
  const page = await (await submitForm(successUrl)).text();
  const key = /<code id="api-key"[^>]*>([^<]+)<\/code>/.exec(page)?.[1];
  if (key === undefined) throw new Error(`There is no key on the page:\n${page}`);
  return key;
}

async function buy(daemon: TestDaemon): Promise<{ key: string; session: Session; customer: string }> {
  const session = await open(daemon);
  const key = await claim(await pay(session));
  const { customer } = await daemon.stripe.checkout.sessions.retrieve(session.id);
  return { key, session, customer: String(customer) };
}

function call(daemon: TestDaemon, key: string): Promise<Response> {
  return fetch(`${daemon.url}/api`, { headers: { authorization: `Bearer ${key}` } });
}

async function liveSubscriptions(daemon: TestDaemon, customer: string): Promise<string[]> {
  const { data } = await daemon.stripe.subscriptions.list({ customer });
  return data.map(({ id }) => id);
}

describe('POST /checkout', () => {
  it('gives nobody the account behind an e-mail address', async () => {
    const daemon = await openDaemon();
    const { customer } = await buy(daemon);
    const { id, url } = (await (await order(daemon, { email: 'ada@example.com' })).json()) as Session;
    const session = await daemon.stripe.checkout.sessions.retrieve(id);
    expect(session).toMatchObject({ customer: null, customer_email: 'ada@example.com' });
    expect(session.metadata).toEqual({ created_by: 'meterctl' });
    await pay({ id, url });
    const bought = await daemon.stripe.checkout.sessions.retrieve(id, { expand: ['subscription'] });
    expect(bought.customer).not.toBe(customer);
    expect(bought.subscription).toMatchObject({ metadata: { created_by: 'meterctl' } });
    // Usage is counted by customer, so neither pays for the other, and both stay.
    expect(await liveSubscriptions(daemon, customer)).toHaveLength(1);
    expect(await liveSubscriptions(daemon, String(bought.customer))).toHaveLength(1);
  });

  it('takes a customer back who shows his key, and his keys work again', async () => {
    const daemon = await openDaemon();
    const { key, customer } = await buy(daemon);
    const [subscription] = await liveSubscriptions(daemon, customer);
    await daemon.stripe.subscriptions.cancel(subscription!);
    await eventually(async () => expect((await call(daemon, key)).status).toBe(402));
    const session = await open(daemon, { 'x-api-key': key });
    expect(await daemon.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ customer });
    await pay(session);
    await eventually(async () => expect((await call(daemon, key)).status).toBe(200));
    expect((await daemon.stripe.customers.list()).data).toHaveLength(1);
  });

  it('sells nobody a second subscription, also when Stripe has not told of the first', async () => {
    const daemon = await openDaemon();
    const { key, customer } = await buy(daemon);
    const refused = await order(daemon, {}, { authorization: `Bearer ${key}` });
    expect(refused.status).toBe(409);
    const portal_url = `${daemon.url}/portal`;
    expect(await refused.json()).toMatchObject({ code: 'already_subscribed', portal_url });
    const browser = await order(daemon, {}, { authorization: `Bearer ${key}`, accept: 'text/html' });
    expect([browser.status, browser.headers.get('location')]).toEqual([303, portal_url]);

    const silent = await openDaemon({ webhooks: false });
    const created = await silent.json<{ id: string }>('customers create --email bob@example.com');
    const made = await silent.json<{ key: string }>(`keys create --customer ${created.id}`);
    const [price] = (await silent.stripe.prices.list()).data;
    await silent.stripe.subscriptions.create({
      customer: created.id,
      items: [{ price: price!.id }],
      collection_method: 'send_invoice',
      days_until_due: 30,
    });
    expect((await order(silent, {}, { 'x-api-key': made.key })).status).toBe(409);
    expect(await liveSubscriptions(daemon, customer)).toHaveLength(1);
  });

  it('refuses wrong keys, the suspended, and addresses that are none', async () => {
    const daemon = await openDaemon();
    const { key, customer } = await buy(daemon);
    expect((await order(daemon, {}, { 'x-api-key': 'mk_test_wrong' })).status).toBe(401);
    const restricted = await daemon.json<{ key: string }>(`keys create --customer ${customer} --scope read`);
    expect((await order(daemon, {}, { 'x-api-key': restricted.key })).status).toBe(403);
    expect((await order(daemon, { email: 'no address' })).status).toBe(400);
    expect((await order(daemon, { email: ['ada@example.com'] })).status).toBe(400);
    await daemon.json(`customers suspend ${customer} --yes`);
    await eventually(async () => expect((await order(daemon, {}, { 'x-api-key': key })).status).toBe(403));
  });

  it('opens ten sessions at once for an address, whatever it says of where it comes from', async () => {
    const daemon = await openDaemon();
    const answers: Response[] = [];
    for (let count = 0; count < 12; count += 1)
      answers.push(await order(daemon, {}, { 'x-forwarded-for': `192.0.2.${count}` }));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(1);
    expect(answers.slice(0, 10).every(({ status }) => status === 200)).toBe(true);
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await refused[0]!.json()).toMatchObject({ code: 'rate_limited', status: 429 });
  });
});

describe('a completed Checkout', () => {
  it('is fulfilled once, however many look at it at the same time', async () => {
    const daemon = await openDaemon();
    const session = await open(daemon);
    const successUrl = await pay(session);
    const looks = await Promise.all(Array.from({ length: 8 }, () => fetch(successUrl)));
    expect(looks.map(({ status }) => status)).toEqual(looks.map(() => 200));
    const presses = await Promise.all(
      Array.from({ length: 8 }, async () => (await submitForm(successUrl).catch(() => undefined))?.text()),
    );
    const keys = presses.filter((page) => page?.includes('id="api-key"'));
    expect(keys).toHaveLength(1);
    expect((await daemon.json<{ data: object[] }>('keys list')).data).toHaveLength(1);
    // Somebody else who has the address learns nothing from it.
    const later = await (await fetch(successUrl)).text();
    expect(later).not.toMatch(/mk_test_|<form method="post" action="\/success"/);
    const body = new URLSearchParams({ session_id: session.id });
    const pressed = await fetch(`${daemon.url}/success`, { method: 'POST', body });
    expect(await pressed.text()).not.toContain('mk_test_');
  });

  it('of somebody who has bought twice leaves him one subscription, the older one', async () => {
    const daemon = await openDaemon();
    const { key, customer } = await buy(daemon);
    const [first] = await liveSubscriptions(daemon, customer);
    await daemon.stripe.subscriptions.cancel(first!);
    await eventually(async () => expect((await call(daemon, key)).status).toBe(402));
    const headers = { 'x-api-key': key };
    const sessions = [await open(daemon, headers), await open(daemon, headers)];
    const pages = [await pay(sessions[0]!), await pay(sessions[1]!)];
    const seen = await Promise.all(pages.map(async (page) => (await fetch(page)).text()));
    await eventually(async () => expect(await liveSubscriptions(daemon, customer)).toHaveLength(1));
    await eventually(async () =>
      expect((await Promise.all(pages.map(async (page) => (await fetch(page)).text()))).join()).toContain(
        'You were subscribed already',
      ),
    );
    expect(seen.join()).not.toContain('id="api-key"');
    const told = daemon.logged.find(({ message }) => message.startsWith('a second subscription'));
    const [kept] = await liveSubscriptions(daemon, customer);
    expect(told?.fields).toMatchObject({ customer, kept });
    const cancelled = await daemon.stripe.subscriptions.retrieve(String(told?.fields.cancelled));
    expect(cancelled).toMatchObject({ status: 'canceled', latest_invoice: null });
    expect(cancelled.cancellation_details?.comment).toContain(kept);
    await eventually(async () => expect((await call(daemon, key)).status).toBe(200));
  });

  it('waits for a delayed payment, and gives the key when it has arrived', async () => {
    const daemon = await openDaemon();
    const session = await open(daemon);
    const successUrl = await pay(session, 'pm_usBankAccount_success');
    const waiting = await fetch(successUrl);
    expect(waiting.headers.get('refresh')).toBe(`5; url=/success?session_id=${session.id}`);
    expect(await waiting.text()).toContain('Your payment is on its way');
    daemon.emulator.advanceTo(daemon.emulator.nowMs() + 120_000);
    await daemon.emulator.tick();
    expect((await call(daemon, await claim(successUrl))).status).toBe(200);
  });

  it('ends when the delayed payment fails', async () => {
    const daemon = await openDaemon();
    const session = await open(daemon);
    const successUrl = await pay(session, 'pm_usBankAccount_insufficientFunds');
    expect(await (await fetch(successUrl)).text()).toContain('Your payment is on its way');
    daemon.emulator.advanceTo(daemon.emulator.nowMs() + 120_000);
    await daemon.emulator.tick();
    await eventually(async () =>
      expect(await (await fetch(successUrl)).text()).toContain('Your payment did not arrive'),
    );
    const { subscription } = await daemon.stripe.checkout.sessions.retrieve(session.id);
    expect(await daemon.stripe.subscriptions.retrieve(String(subscription))).toMatchObject({
      status: 'canceled',
    });
    expect((await daemon.json<{ data: object[] }>('keys list')).data).toEqual([]);
  });

  it('that never came about says so', async () => {
    const daemon = await openDaemon();
    const session = await open(daemon);
    const page = (id: string) => fetch(`${daemon.url}/success?session_id=${id}`);
    expect(await (await page(session.id)).text()).toContain('not complete yet');
    await daemon.stripe.checkout.sessions.expire(session.id);
    expect((await page(session.id)).status).toBe(410);
    expect((await page(session.id.replace('cs_test', 'cs_live'))).status).toBe(404);
    expect((await page('cs_test_1')).status).toBe(404);
    expect((await page('%00')).status).toBe(400);
    expect((await fetch(`${daemon.url}/success`)).status).toBe(400);
  });

  it('waits while Stripe is down, and goes on by itself', async () => {
    const daemon = await openDaemon({ webhooks: false });
    const session = await open(daemon);
    const successUrl = await pay(session);
    daemon.emulator.account.faults.set({ resetBefore: 1 });
    const down = await fetch(successUrl);
    expect([down.status, down.headers.get('refresh')]).toEqual([
      503,
      `5; url=/success?session_id=${session.id}`,
    ]);
    expect(await down.text()).toContain('Your order is safe');
    const body = new URLSearchParams({ session_id: session.id });
    const pressed = await fetch(`${daemon.url}/success`, { method: 'POST', body });
    expect([pressed.status, pressed.headers.get('refresh')]).toEqual([503, down.headers.get('refresh')]);
    expect((await order(daemon)).status).toBe(503);
    daemon.emulator.account.faults.reset();
    expect((await call(daemon, await claim(successUrl))).status).toBe(200);
  });
});
