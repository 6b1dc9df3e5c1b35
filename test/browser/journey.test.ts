/** What a buyer does with a real browser: from the start page through Checkout to a working key, and on to his own page. */

import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { openShop, type Shop } from '../support/shop.js';

/** From the start page to the page before the key. */
async function subscribe(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await page.getByLabel('Email').fill('ada@example.com');
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await page.getByRole('heading', { name: 'You are subscribed' }).waitFor();
}

async function takeKey(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Make my API key' }).click();
  return (await page.locator('#api-key').textContent()) ?? '';
}

async function signIn(page: Page, url: string, key: string): Promise<void> {
  await page.goto(`${url}/portal`);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Coming invoice' }).waitFor();
}

async function call(shop: Shop, key: string): Promise<number> {
  return (await fetch(`${shop.url}/api`, { headers: { authorization: `Bearer ${key}` } })).status;
}

/** Goes back. A page that was sent a form is not asked for again without a question, which counts as a failed load. */
async function goBack(page: Page): Promise<void> {
  await page.goBack({ waitUntil: 'commit' }).catch(() => undefined);
}

/** Whatever page has come, it does not show the text: nor does it a moment later, when all is loaded. */
async function showsNot(page: Page, text: string): Promise<void> {
  await page.waitForTimeout(500);
  await eventually(async () => expect(await page.content()).not.toContain(text));
}

/** How many of the elements stick out into the one beside them. */
function overlapsOf(page: Page, selector: string, beside: string): Promise<number> {
  return page.evaluate<number>(`[...document.querySelectorAll('${selector}')].filter((element) => {
    const words = document.createRange();
    words.selectNodeContents(element);
    const other = element.parentElement.querySelector('${beside}');
    return words.getBoundingClientRect().right > other.getBoundingClientRect().left;
  }).length`);
}

/** How many colours the chart shows, its empty background included. */
function coloursOf(page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelector('#usage-chart canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  })()`);
}

describeInBrowser('a buyer', (open) => {
  it('goes from the start page to a key that works, is shown once, and opens the portal', async () => {
    const shop = await openShop();
    const { page, complaints } = await open();
    await subscribe(page, shop.url);
    const successUrl = page.url();
    const key = await takeKey(page);
    expect(await call(shop, key)).toBe(200);
    expect(page.url()).toBe(`${shop.url}/success`);
    await goBack(page);
    expect(page.url()).toBe(successUrl);
    await page.goForward({ waitUntil: 'commit' }).catch(() => undefined);
    await showsNot(page, key);

    // Back to the page with the key, which the browser would have to ask for again.
    await page.goto(shop.url);
    await goBack(page);
    await showsNot(page, key);
    await page.goto(successUrl);
    await page.getByRole('heading', { name: 'Your key was made already' }).waitFor();
    expect(await page.content()).not.toContain(key);

    await signIn(page, shop.url, key);
    expect(page.url()).toBe(`${shop.url}/portal`);
    await page.getByText('1 call since').waitFor();
    await eventually(async () => expect(await coloursOf(page)).toBeGreaterThan(3));
    expect(await page.locator('details[open]').count()).toBe(0);
    await page.getByText('By day').click();
    expect(await page.getByRole('table', { name: 'Days are days in UTC.' }).isVisible()).toBe(true);

    await page.getByLabel('Name of a new key').fill('laptop');
    await page.getByLabel('Expires').selectOption('30 days');
    await page.getByRole('button', { name: 'Make a key' }).click();
    const second = (await page.locator('#api-key').textContent())!;
    expect(await call(shop, second)).toBe(200);
    await page.reload();
    await page.getByRole('heading', { name: 'This key was made already' }).waitFor();
    expect(await page.content()).not.toContain(second);

    await page.getByRole('link', { name: 'Back to your account' }).click();
    await page.getByRole('link', { name: /^Revoke laptop/ }).click();
    await page.getByRole('button', { name: 'Revoke key' }).click();
    await page.getByRole('status').filter({ hasText: 'The key is revoked.' }).waitFor();
    expect(await call(shop, second)).toBe(401);

    await page.getByRole('link', { name: 'Invoices, card and cancellation' }).click();
    await page.getByRole('heading', { name: 'Your billing' }).waitFor();
    await page.getByRole('link', { name: /Return/ }).click();
    await page.getByRole('heading', { name: 'Coming invoice' }).waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    await goBack(page);
    await showsNot(page, 'ada@example.com');
    expect(complaints).toEqual([]);
  });

  it('needs no script', async () => {
    const shop = await openShop();
    const { page, complaints } = await open({ javaScriptEnabled: false });
    await subscribe(page, shop.url);
    const key = await takeKey(page);
    expect(await call(shop, key)).toBe(200);
    await signIn(page, shop.url, key);
    expect(await page.locator('#usage-chart').isVisible()).toBe(false);
    const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(Date.now());
    expect(await page.getByRole('row', { name: `${day} 1 1` }).isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('needs no mouse', async () => {
    const shop = await openShop();
    const { page } = await open();
    await page.goto(shop.url);
    const focused = () => page.evaluate<string>('document.activeElement.textContent.trim()');
    async function tabTo(name: string): Promise<void> {
      for (let press = 0; (await focused()) !== name; press += 1) {
        if (press > 30) throw new Error(`Tab does not reach "${name}".`);
        await page.keyboard.press('Tab');
      }
      const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineWidth');
      expect(outline, name).toBe('3px');
    }
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to content');
    await tabTo('Subscribe');
    await page.keyboard.press('Enter');
    await page.getByLabel('Email').fill('ada@example.com');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'You are subscribed' }).waitFor();
    await tabTo('Make my API key');
    await page.keyboard.press('Enter');
    const key = (await page.locator('#api-key').textContent())!;
    await tabTo('your account');
    await page.keyboard.press('Enter');
    await page.getByLabel('API key').focus();
    await page.keyboard.type(key);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Coming invoice' }).waitFor();
    await tabTo('Sign out');
    await page.keyboard.press('Enter');
    await page.getByLabel('API key').waitFor();
  });

  it.each(['light', 'dark'] as const)('reads well on a phone in %s', async (colorScheme) => {
    const shop = await openShop();
    const { page } = await open({ viewport: { width: 360, height: 740 }, colorScheme });
    async function isFine(what: string): Promise<void> {
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      const paper = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      const ink = await page.evaluate<string>('getComputedStyle(document.body).color');
      expect(width, what).toBe(360);
      expect(contrastOf(paper, ink), what).toBeGreaterThan(7);
      expect(brightnessOf(paper) > 0.5, what).toBe(colorScheme === 'light');
    }
    await page.goto(shop.url);
    await isFine('start');
    await page.goto(`${shop.url}/nothing/${'at-all'.repeat(40)}`);
    await isFine('not found');
    await page.goto(shop.url);
    await page.getByRole('button', { name: 'Subscribe' }).click();
    await page.getByLabel('Email').waitFor();
    await isFine('checkout');
    expect(await overlapsOf(page, '.choice .digits', '.pill')).toBe(0);
    await subscribe(page, shop.url);
    await isFine('success');
    const key = await takeKey(page);
    await isFine('key');
    await page.goto(`${shop.url}/portal`);
    await isFine('sign-in');
    const { data } = await shop.program.json<{ data: { id: string }[] }>(['customers', 'list']);
    await shop.makeKey(data[0]!.id, '--name', 'averylongname'.repeat(15));
    await signIn(page, shop.url, key);
    await page.getByText('By day').click();
    await isFine('portal');
    await page.getByRole('link', { name: /^Revoke avery/ }).click();
    await isFine('question');
  });
});

function channels(colour: string): number[] {
  return colour
    .match(/\d+/g)!
    .slice(0, 3)
    .map((text) => Number(text) / 255);
}

/** Relative luminance. https://www.w3.org/TR/WCAG21/#dfn-relative-luminance */
function brightnessOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrastOf(one: string, other: string): number {
  const [dark = 0, light = 0] = [brightnessOf(one), brightnessOf(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
