/** The customer's own page by plain HTTP, against the real daemon: who gets in, what he sees, and what he can do. */

import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { submitForm } from '../support/form.js';
import { openShop, type Shop } from '../support/shop.js';
import { createVisitor, hiddenField, type Visitor } from '../support/visitor.js';

async function signIn(shop: Shop, key: string): Promise<{ visitor: Visitor; token: string; page: string }> {
  const visitor = createVisitor(shop.url);
  expect((await visitor.post('/portal/sign-in', { key })).status).toBe(303);
  const { text } = await visitor.get('/portal');
  expect(text).toContain('Sign out');
  return { visitor, token: hiddenField(text, 'token'), page: text };
}

async function statusOf(shop: Shop, key: string): Promise<number> {
  return (await fetch(`${shop.url}/api`, { headers: { authorization: `Bearer ${key}` } })).status;
}

describe('signing in', () => {
  it('takes a key that works, by a form only, into a cookie that no script and no other site can use', async () => {
    const shop = await openShop();
    const { key, customer } = await shop.buy('ada@example.com');
    const { visitor } = await signIn(shop, key);
    await visitor.get('/portal');
    expect(visitor.lastSetCookie).toMatch(
      /^meterctl_portal=[^;]+; Max-Age=1800; Path=\/portal; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
    );
    expect(visitor.cookie).not.toContain('mk_');
    expect((await createVisitor(shop.url).get(`/portal?key=${key}`)).text).not.toContain('Sign out');

    const revoked = await shop.makeKey(customer);
    await shop.program.json(['keys', 'revoke', revoked.id]);
    const restricted = await shop.makeKey(customer, '--scope', 'read');
    const elsewhere = await shop.makeKey(customer, '--ip', '192.0.2.0/24');
    const cases: [key: string, said: string][] = [
      ['', 'not known'],
      ['mk_test_wrong', 'not known'],
      [`${key.slice(0, -1)}!`, 'not known'],
      [revoked.key, 'was revoked'],
      [restricted.key, 'only be used for calls'],
      [elsewhere.key, 'not be used from your address'],
    ];
    for (const [wrong, said] of cases) {
      const stranger = createVisitor(shop.url);
      const answer = await stranger.post('/portal/sign-in', { key: wrong });
      expect(answer.status, said).toBe(401);
      expect(answer.text, said).toContain(said);
      expect(answer.text).toContain('role="alert"');
      expect(stranger.cookie).toBe('');
    }
    const attack = await createVisitor(shop.url).post(
      '/portal/sign-in',
      { key },
      { origin: 'https://evil.example' },
    );
    expect(attack.status).toBe(403);
    expect(attack.headers.get('set-cookie')).toBeNull();
  });

  it('is slow for who guesses', async () => {
    const shop = await openShop();
    const visitor = createVisitor(shop.url);
    for (let guess = 0; guess < 10; guess += 1)
      expect((await visitor.post('/portal/sign-in', { key: `mk_test_${guess}` })).status).toBe(401);
    const refused = await visitor.post('/portal/sign-in', { key: 'mk_test_10' });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('ends with signing out, also for a copied cookie, and with the key', async () => {
    const shop = await openShop();
    const { key, customer } = await shop.buy('ada@example.com');
    const { visitor, token } = await signIn(shop, key);
    const copied = visitor.cookie;
    const left = await visitor.post('/portal/sign-out', { token });
    expect([left.status, left.headers.get('location')]).toEqual([303, '/portal']);
    expect(visitor.cookie).toBe('meterctl_portal=');
    expect((await visitor.get('/portal', { cookie: copied })).text).toContain('Your session has ended');

    const other = await shop.makeKey(customer);
    const second = await signIn(shop, other.key);
    await shop.program.json(['keys', 'revoke', other.id]);
    const late = await second.visitor.post('/portal/keys', { token: second.token, name: 'late', days: '0' });
    expect(late.status).toBe(403);
    expect(late.text).toContain('Your session has ended');
    expect((await shop.program.json<{ data: unknown[] }>(['keys', 'list'])).data).toHaveLength(2);

    const restricted = await shop.makeKey(customer);
    const session = await signIn(shop, restricted.key);
    await shop.program.json(['keys', 'update', restricted.id, '--scope', 'read']);
    expect((await session.visitor.get('/portal')).text).toContain('Your session has ended');
  });

  it('keeps the cookie to https where the public address is https', async () => {
    const shop = await openShop({ publicUrl: 'https://api.example.com' });
    const visitor = createVisitor(shop.url);
    const { id } = await shop.program.json<{ id: string }>([
      'customers',
      'create',
      '--email',
      'a@example.com',
    ]);
    const { key } = await shop.makeKey(id);
    const proxied = { origin: 'https://api.example.com', host: '127.0.0.1' };
    expect((await visitor.post('/portal/sign-in', { key }, proxied)).status).toBe(303);
    expect(visitor.lastSetCookie).toContain('; Secure');
  });
});

describe('the portal', () => {
  it('shows usage by day, the coming invoice and the keys, with names taken as text', async () => {
    const shop = await openShop();
    const { key, customer } = await shop.buy('ada@example.com');
    for (let call = 0; call < 3; call += 1) expect(await statusOf(shop, key)).toBe(200);
    await shop.makeKey(customer, '--name', '<script>alert(1)</script>');
    const { visitor } = await signIn(shop, key);
    await eventually(async () => {
      const { text } = await visitor.get('/portal');
      expect(text).toContain('US$3.00 <small>due so far');
      expect(text).not.toContain('on the way to this invoice');
    });
    const { text, headers } = await visitor.get('/portal');
    expect(headers.get('content-security-policy')).toContain("script-src 'self'; form-action 'self';");
    expect(text).toContain('ada@example.com');
    expect(text).toContain('3 <small>calls since');
    expect(text).toMatch(/<tr data-day="\d+" data-units="3"><th scope="row">/);
    expect(text).toContain('&lt;script&gt;alert(1)');
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain(key);
  });

  it('opens Stripe’s billing portal, and comes back through a page that a strict cookie survives', async () => {
    const shop = await openShop();
    const { key } = await shop.buy('ada@example.com');
    const { visitor } = await signIn(shop, key);
    const billing = await visitor.get('/portal/billing');
    expect(billing.status).toBe(303);
    expect(await (await fetch(billing.headers.get('location')!)).text()).toContain(`${shop.url}/portal/back`);
    expect((await createVisitor(shop.url).get('/portal/billing')).headers.get('location')).toBeNull();
    const back = await createVisitor(shop.url).get('/portal/back');
    expect([back.status, back.headers.get('refresh')]).toEqual([200, '0; url=/portal']);
  });

  it('goes on without Stripe', async () => {
    const shop = await openShop();
    const { key } = await shop.buy('ada@example.com');
    await statusOf(shop, key);
    await shop.program.json(['emulator', 'fault', '--outage', '60s']);
    const { visitor, page } = await signIn(shop, key);
    expect(page).toContain('Stripe cannot be asked right now');
    expect(page).toContain('1 <small>call since');
    const billing = await visitor.get('/portal/billing');
    expect(billing.status).toBe(503);
    expect(billing.text).toContain('cannot be opened right now');
  });

  it('tells who has no subscription what to do, and his keys work again afterwards', async () => {
    const shop = await openShop();
    const { id } = await shop.program.json<{ id: string }>([
      'customers',
      'create',
      '--email',
      'bob@example.com',
    ]);
    const { key } = await shop.makeKey(id);
    expect(await statusOf(shop, key)).toBe(402);
    const { visitor, token, page } = await signIn(shop, key);
    expect(page).toContain('You have no active subscription');
    expect(page).toContain('There is no invoice to come');
    const checkout = await visitor.post('/portal/subscribe', { token });
    expect(checkout.status).toBe(303);
    const { pathname, search } = new URL(
      (await submitForm(checkout.headers.get('location')!)).headers.get('location')!,
    );
    expect((await visitor.get(`${pathname}${search}`)).text).toContain('You are subscribed');
    await eventually(async () => expect(await statusOf(shop, key)).toBe(200));
    expect((await visitor.get('/portal')).text).toContain('<span class="pill good">active</span>');
    const again = await visitor.post('/portal/subscribe', { token });
    expect(again.headers.get('location')).toBe('/portal');
  });
});

describe('keys in the portal', () => {
  it('are made once an order, shown once, and work at once', async () => {
    const shop = await openShop();
    const { key } = await shop.buy('ada@example.com');
    const { visitor, token, page } = await signIn(shop, key);
    const form = { token, order: hiddenField(page, 'order'), name: ' ci ', days: '90' };
    const made = await visitor.post('/portal/keys', form);
    const secret = /<code id="api-key">([^<]+)<\/code>/.exec(made.text)![1]!;
    expect(await statusOf(shop, secret)).toBe(200);
    const again = await visitor.post('/portal/keys', form);
    expect(again.text).toContain('This key was made already');
    expect(again.text).not.toContain(secret);
    const { data } = await shop.program.json<{ data: { name: string; expires_at: string }[] }>([
      'keys',
      'list',
    ]);
    expect(data.map(({ name }) => name)).toEqual(['ci', 'Checkout']);
    expect(Date.parse(data[0]!.expires_at) / 86_400_000).toBeCloseTo(Date.now() / 86_400_000 + 90, 1);

    const bad = await visitor.post('/portal/keys', { ...form, order: 'two', name: 'x'.repeat(201) });
    expect(bad.status).toBe(400);
    expect(bad.text).toContain('at most 200 characters');
    expect((await visitor.post('/portal/keys', { ...form, order: 'two', days: '9999' })).status).toBe(400);
  });

  it('are replaced by one of the same kind, and work on for a day', async () => {
    const shop = await openShop();
    const { customer } = await shop.buy('ada@example.com');
    const old = await shop.makeKey(customer, '--name', 'server', '--ip', '127.0.0.0/8', '--scope', 'portal');
    const { visitor, token } = await signIn(shop, old.key);
    const path = `/portal/keys/${old.id}/replace`;
    expect((await visitor.get(path)).text).toContain('works on for 24 hours');
    const made = await visitor.post(path, { token });
    const secret = /<code id="api-key">([^<]+)<\/code>/.exec(made.text)![1]!;
    expect(made.text).toMatch(/works on until <strong>\d+ \w+ \d+ at \d\d:\d\d UTC/);
    expect(await Promise.all([statusOf(shop, old.key), statusOf(shop, secret)])).toEqual([200, 200]);
    const again = await visitor.post(path, { token });
    expect(again.text).toContain('This key was made already');
    const { text } = await visitor.get('/portal');
    expect(text).toContain('replaced, works until');
    expect(text).not.toContain(path);
    const { data } = await shop.program.json<{ data: { name: string; scopes: string[] }[] }>([
      'keys',
      'list',
    ]);
    expect(data.map(({ name }) => name)).toEqual(['server', 'server', 'Checkout']);
    expect(data[0]!.scopes).toEqual(['portal']);
  });

  it('are revoked after a question, one’s own only', async () => {
    const shop = await openShop();
    const { key, customer } = await shop.buy('ada@example.com');
    const { id: mallory } = await shop.program.json<{ id: string }>([
      'customers',
      'create',
      '--email',
      'm@example.com',
    ]);
    const theirs = await shop.makeKey(mallory);
    const spare = await shop.makeKey(customer, '--name', 'spare');
    const { visitor, token } = await signIn(shop, key);
    for (const id of [theirs.id, 'key_unknown', '..%2F']) {
      for (const path of [`/portal/keys/${id}/revoke`, `/portal/keys/${id}/replace`]) {
        expect((await visitor.get(path)).status, path).toBe(404);
        expect((await visitor.post(path, { token })).status, path).toBe(404);
      }
    }
    expect(await statusOf(shop, theirs.key)).toBe(402);
    const question = await visitor.get(`/portal/keys/${spare.id}/revoke`);
    expect(question.text).toContain('spare');
    expect(question.text).not.toContain('signed out');
    const done = await visitor.post(`/portal/keys/${spare.id}/revoke`, { token });
    expect(done.headers.get('location')).toBe('/portal?done=revoked');
    expect((await visitor.get('/portal?done=revoked')).text).toContain('The key is revoked.');
    expect(await statusOf(shop, spare.key)).toBe(401);
    expect(await statusOf(shop, key)).toBe(200);

    const { data } = await shop.program.json<{ data: { id: string; name: string }[] }>(['keys', 'list']);
    const own = data.find(({ name }) => name === 'Checkout')!.id;
    const last = await visitor.get(`/portal/keys/${own}/revoke`);
    expect(last.text).toContain('your last key');
    expect(last.text).toContain('you will be signed out');
    const gone = await visitor.post(`/portal/keys/${own}/revoke`, { token });
    expect(gone.text).toContain('is revoked, and with it your session');
    expect((await visitor.get('/portal')).text).not.toContain('Sign out');
  });

  it('are safe from other sites and from forms that are not ours', async () => {
    const shop = await openShop();
    const { key } = await shop.buy('ada@example.com');
    const { visitor, token } = await signIn(shop, key);
    const form = { token, order: 'one', name: 'planted', days: '0' };
    const attacks: [Record<string, string>, Record<string, string>?][] = [
      [form, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
      [form, { origin: shop.url.replace(/\d+$/, '1'), 'sec-fetch-site': 'same-site' }],
      [form, { origin: 'null' }],
      [{ ...form, token: '' }],
      [{ ...form, token: 'A'.repeat(token.length) }],
    ];
    for (const [fields, headers] of attacks)
      expect((await visitor.post('/portal/keys', fields, headers)).status, JSON.stringify(headers)).toBe(403);
    expect((await visitor.post('/portal/sign-out', {})).status).toBe(403);
    expect((await visitor.get('/portal')).text).not.toContain('planted');
  });
});
