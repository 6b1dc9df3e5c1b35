/** A page on another origin, in the same browser as a customer who is signed in: whatever it posts, nothing happens. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { describeInBrowser } from '../support/browser.js';
import { openShop } from '../support/shop.js';

/** A site whose every page is this. Returns its port. */
async function openSite(content: string): Promise<number> {
  const server = createServer((_req, res) => {
    res.setHeader('Content-Type', 'text/html').end(content);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describeInBrowser('an attack page', (open) => {
  // A port makes another origin of the same site, which cookies do not tell apart; another name makes another site.
  it.each(['127.0.0.1', 'localhost'])('on %s gets nowhere', async (name) => {
    const shop = await openShop();
    const { key } = await shop.buy('ada@example.com');
    const answer = await fetch(`${shop.url}/checkout`, { method: 'POST' });
    const order = (await answer.json()) as { id: string; url: string };
    await fetch(order.url, {
      method: 'POST',
      body: new URLSearchParams({ email: 'bob@example.com' }),
      redirect: 'manual',
    });
    const form = (path: string, ...fields: [string, string][]) =>
      `<form method="post" action="${shop.url}${path}" id="${path}">${fields.map(([field, value]) => `<input name="${field}" value="${value}">`).join('')}<button>${path}</button></form>`;
    const port = await openSite(
      [
        form('/portal/keys', ['name', 'planted'], ['days', '0'], ['order', 'one'], ['token', 'guessed']),
        form('/portal/sign-out', ['token', 'guessed']),
        form('/portal/sign-in', ['key', key]),
        form('/portal/subscribe', ['token', 'guessed']),
        form('/success', ['session_id', order.id]),
        `<iframe src="${shop.url}/portal"></iframe><a href="${shop.url}/portal/back">back</a>`,
      ].join('\n'),
    );
    const { page } = await open();
    await page.goto(`${shop.url}/portal`);
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Coming invoice' }).waitFor();

    const site = `http://${name}:${port}/`;
    for (const path of [
      '/portal/keys',
      '/portal/sign-out',
      '/portal/sign-in',
      '/portal/subscribe',
      '/success',
    ]) {
      await page.goto(site);
      const sent = page.waitForResponse((response) => response.request().method() === 'POST');
      await page.getByRole('button', { name: path, exact: true }).click();
      expect((await sent).status(), path).toBe(403);
      await page.getByRole('heading', { name: 'The form came from another site' }).waitFor();
    }
    await page.goto(site);
    expect(await page.frameLocator('iframe').getByRole('heading').count()).toBe(0);
    const stolen = await page.evaluate(
      (url) =>
        fetch(`${url}/portal`, { credentials: 'include' }).then(
          (response) => response.text(),
          () => 'refused',
        ),
      shop.url,
    );
    expect(stolen).toBe('refused');

    // Coming back from elsewhere, the strict cookie still knows the customer; and nothing was made or ended.
    await page.getByRole('link', { name: 'back' }).click();
    await page.getByRole('heading', { name: 'Coming invoice' }).waitFor();
    expect(await page.content()).not.toContain('planted');
    await page.goto(`${shop.url}/success?session_id=${order.id}`);
    await page.getByRole('button', { name: 'Make my API key' }).waitFor();
  });

  it('may send buyers to Checkout, as a merchant’s own pricing page does', async () => {
    const shop = await openShop();
    const port = await openSite(
      `<form method="post" action="${shop.url}/checkout"><button>Buy</button></form>`,
    );
    const { page } = await open();
    await page.goto(`http://localhost:${port}/`);
    await page.getByRole('button', { name: 'Buy' }).click();
    await page.getByRole('heading', { name: 'Subscribe to Fire API' }).waitFor();
  });
});
