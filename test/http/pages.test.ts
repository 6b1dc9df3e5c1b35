/** The pages for buyers, as the real daemon answers them: what they say, and what their headers forbid. */

import { describe, expect, it } from 'vitest';
import { openShop, type Shop } from '../support/shop.js';
import { createVisitor } from '../support/visitor.js';

/** A completed order whose key has not been made. */
async function order(shop: Shop, email: string): Promise<string> {
  const answer = await fetch(`${shop.url}/checkout`, { method: 'POST' });
  const { id, url } = (await answer.json()) as { id: string; url: string };
  await fetch(url, { method: 'POST', body: new URLSearchParams({ email }), redirect: 'manual' });
  return id;
}

describe('the pages for buyers', () => {
  it('say what the API costs, and let the form reach Stripe’s page', async () => {
    const shop = await openShop();
    const visitor = createVisitor(shop.url);
    const home = await visitor.get('/');
    expect(home.status).toBe(200);
    expect(home.text).toContain('US$1.00 <small>per call</small>');
    expect(home.text).toMatch(/10,000 calls<\/th><td class="number">US\$10,000\.00/);
    expect(home.text).toContain(`Bearer YOUR_API_KEY" ${shop.url}/api`);
    const checkout = await visitor.post('/checkout', {});
    expect(checkout.status).toBe(303);
    const policy = home.headers.get('content-security-policy')!;
    expect(policy).toContain(`form-action 'self' ${new URL(checkout.headers.get('location')!).origin};`);
  });

  it('allow no script, no frame and nothing from elsewhere, and pass no address on', async () => {
    const { url } = await openShop();
    for (const path of ['/', '/error', '/portal', '/nothing-here', '/success?session_id=cs_test_none']) {
      const { headers } = await createVisitor(url).get(path);
      const policy = headers.get('content-security-policy')!;
      expect(policy, path).toMatch(
        /^default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'/,
      );
      expect(policy, path).toContain("base-uri 'none'; frame-ancestors 'none'");
      expect(policy, path).not.toContain('script-src');
      expect(headers.get('referrer-policy'), path).toBe('same-origin');
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
      expect(headers.get('cache-control'), path).toBe('no-store');
    }
  });

  it('tell browsers of refusals on a page, and programs in JSON', async () => {
    const { url } = await openShop();
    const visitor = createVisitor(url);
    const page = await visitor.get('/%3Cb%3Enothing', { 'x-request-id': 'mine-1' });
    expect(page.status).toBe(404);
    expect(page.text).toContain('There is no such thing');
    expect(page.text).toContain('mine-1');
    expect(page.text).not.toContain('<b>');
    for (const accept of ['*/*', 'application/json', 'application/problem+json']) {
      const answer = await visitor.get('/nothing', { accept });
      expect(answer.headers.get('content-type'), accept).toBe('application/problem+json');
      expect(JSON.parse(answer.text), accept).toMatchObject({ code: 'not_found', status: 404 });
    }
    const badForm = await visitor.post('/success', { session_id: '../../etc' });
    expect(badForm.status).toBe(400);
    expect(badForm.headers.get('content-type')).toContain('text/html');
    const tooLarge = await visitor.post('/success', { session_id: 'x'.repeat(20_000) });
    expect(tooLarge.status).toBe(413);
  });

  it('show a key by one press from our own page, and never again', async () => {
    const shop = await openShop();
    const visitor = createVisitor(shop.url);
    const session_id = await order(shop, 'ada@example.com');
    expect((await visitor.get(`/success?session_id=${session_id}`)).text).toContain('You are subscribed');
    const attacks: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: shop.url.replace('127.0.0.1', 'localhost') },
      { origin: shop.url, 'sec-fetch-site': 'cross-site' },
      { origin: shop.url, 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of attacks) {
      const attack = await visitor.post('/success', { session_id }, headers);
      expect(attack.status, JSON.stringify(headers)).toBe(403);
      expect(attack.text).toContain('another site');
    }
    const key = await visitor.post('/success', { session_id }, { origin: shop.url });
    expect(key.status).toBe(200);
    expect(key.text).toMatch(/<code id="api-key">mk_test_\w+<\/code>/);
    const again = await visitor.post('/success', { session_id });
    expect(again.text).toContain('Your key was made already');
    expect(again.text).not.toContain('mk_test_');
  });

  it('load files that browsers may keep for ever, under addresses that name their content', async () => {
    const { url } = await openShop();
    const visitor = createVisitor(url);
    const style = /href="(\/assets\/style\.css\?v=\w+)"/.exec((await visitor.get('/')).text)![1]!;
    const kept = await visitor.get(style);
    expect(kept.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(kept.headers.get('cache-control')).toContain('immutable');
    expect((await visitor.get('/assets/style.css?v=other')).headers.get('cache-control')).toBe('no-cache');
    for (const path of ['/assets/toString', '/assets/..%2Fserver.ts', '/assets/'])
      expect((await visitor.get(path)).status, path).toBe(404);
  });
});
