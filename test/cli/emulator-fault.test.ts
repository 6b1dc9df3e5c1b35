/** Faults on demand, as an operator orders them. */

import { describe, expect, it } from 'vitest';
import { openFaults } from '../../src/emulator/open-faults.js';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';
import { createProgram } from '../support/program.js';

const none = {
  429: 0,
  500: 0,
  html: 0,
  drop_requests: 0,
  drop_answers: 0,
  latency_ms: 0,
  outage_until: null,
  duplicate_webhooks: 0,
  reorder_webhooks: 0,
  rate_limit: null,
};

describe('emulator fault', () => {
  it('sets what is named, keeps the rest, shows them all, and ends them', async () => {
    const { json, run } = createCommandLine(createTestFolder());
    expect(await json('emulator fault')).toEqual(none);
    const set =
      'emulator fault --429 5% --500 2% --html 1% --drop-requests 0.5% --drop-answers 2% --latency 50ms --duplicate-webhooks 10% --reorder-webhooks 100% --rate-limit 25';
    const expected = {
      ...none,
      429: 0.05,
      500: 0.02,
      html: 0.01,
      drop_requests: 0.005,
      drop_answers: 0.02,
      latency_ms: 50,
      duplicate_webhooks: 0.1,
      reorder_webhooks: 1,
      rate_limit: 25,
    };
    expect(await json(set)).toEqual(expected);
    const outage = await json<{ outage_until: string }>('emulator fault --outage 30s --html 0%');
    expect(outage).toEqual({ ...expected, html: 0, outage_until: expect.any(String) });
    expect(Date.parse(outage.outage_until) - Date.now()).toBeGreaterThan(25_000);
    expect((await run('emulator fault')).out).toMatch(/^drop-requests +0\.5%$/m);
    expect(await json('emulator fault --off --latency 2s')).toEqual({ ...none, latency_ms: 2000 });
    expect(await json('emulator fault --latency 0ms --rate-limit 0 --outage 0s')).toEqual(none);
  });

  it.each([
    ['--429 5', 'It must be a share of the requests from 0% to 100%'],
    ['--drop-answers 101%', 'It must be a share'],
    ['--html -5%', 'It must be a share'],
    ['--latency 1h', 'It must be a time such as 50ms or 2s'],
    ['--latency 301s', 'at most 300s'],
    ['--outage 1mo', 'It must be a duration such as 30s'],
    ['--rate-limit 2.5', 'It must be a whole number'],
  ])('refuses %s', async (flags, message) => {
    const { run } = createCommandLine(createTestFolder());
    const { code, err } = await run(`emulator fault ${flags}`);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('strikes a running server at once, and ends at once', async () => {
    const folder = createTestFolder();
    const program = createProgram(folder);
    await program.run(['init', '--yes']);
    const { url } = await program.serve();
    const checkout = async () => (await fetch(`${url}/checkout`, { method: 'POST' })).status;
    expect(await checkout()).toBe(200);
    await program.json(['emulator', 'fault', '--outage', '1h']);
    expect(await checkout()).toBe(503);
    await program.json(['emulator', 'fault', '--off']);
    expect(await checkout()).toBe(200);
  });

  it('takes the same options when the embedded Stripe starts on its own', async () => {
    const folder = createTestFolder();
    const { run } = createCommandLine(folder);
    expect((await run('emulator start --port 0 --429 100% --latency 1ms')).code).toBe(0);
    const faults = openFaults(`${folder}/.meterctl/emulator.db`);
    expect(faults.get()).toMatchObject({ rateLimited: 1, latencyMs: 1 });
    await faults.close();
  });
});
