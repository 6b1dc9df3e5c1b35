/** A real Chromium for tests, where there is one. */

import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((candidate) => existsSync(candidate));

/** No sandbox, because containers give it no room; nothing that talks to anybody. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A page of a context of its own, which ends with the test, and everything that went wrong in it. */
export interface Visit {
  page: Page;
  /** Errors of scripts, and what a policy has blocked. */
  complaints: string[];
}

/**
 * Tests with a browser. They are skipped, with the reason printed, where there is none; never in CI, where they fail then.
 */
export function describeInBrowser(
  name: string,
  tests: (open: (options?: BrowserContextOptions) => Promise<Visit>) => void,
): void {
  if (!path && process.env.CI !== 'true') {
    console.warn(`Skipped "${name}": there is no Chromium. On Debian: apt-get install chromium`);
    describe.skip(name, () => tests(() => Promise.reject(new Error('There is no Chromium.'))));
    return;
  }
  describe(name, { timeout: 120_000 }, () => {
    let browser: Browser;
    beforeAll(async () => {
      if (!path) throw new Error('There is no Chromium: apt-get install chromium');
      browser = await chromium.launch({
        executablePath: path,
        args: flags,
        // Without this, going back would be kinder here than it is to people: whole pages are kept to be shown again.
        ignoreDefaultArgs: ['--disable-back-forward-cache'],
      });
    });
    afterAll(() => browser?.close());
    tests((options) => openVisit(browser, options));
  });
}

async function openVisit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A refusal's status is reported as an error too; what is wanted are blocked loads and forms, and failing scripts.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  return { page, complaints };
}
