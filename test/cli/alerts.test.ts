import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

async function ready(alerts: Record<string, unknown> = {}) {
  const folder = createTestFolder();
  const line = createCommandLine(folder);
  await line.json(['init', '--product', 'Fire API', '--unit', 'call', '--price', '0.05']);
  const path = join(folder, 'meterctl.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), alerts }));
  return { ...line, folder };
}

async function openReceiver(): Promise<{ url: string; signatures: unknown[] }> {
  const signatures: unknown[] = [];
  const server = createServer((req, res) => {
    signatures.push(req.headers['webhook-signature']);
    req.resume().on('end', () => res.writeHead(200).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, signatures };
}

describe('alerts', () => {
  it('are none to begin with', async () => {
    const { json, run } = await ready();
    expect(await json('alerts list')).toEqual({ data: [], next_cursor: null });
    const { code, err } = await run('alerts test');
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/go nowhere yet[\s\S]*alerts.url or alerts.command/),
    ]);
  });

  it('can be tried', async () => {
    const { url, signatures } = await openReceiver();
    const { run, json, folder } = await ready({ url, command: [process.execPath, '-e', 'process.exit(5)'] });
    const missing = await run('alerts test');
    expect([missing.code, missing.err]).toEqual([2, expect.stringMatching(/METERCTL_ALERT_SECRET/)]);
    const failed = await run('alerts test --json', { env: { METERCTL_ALERT_SECRET: secret } });
    expect(failed.code).toBe(3);
    expect(JSON.parse(failed.out)).toMatchObject({
      sinks: [
        { sink: 'webhook', ok: true, reason: null },
        { sink: 'command', ok: false, reason: expect.stringMatching(/ended with 5/) },
      ],
    });
    expect(signatures).toEqual([expect.stringMatching(/^v1,/)]);
    const path = join(folder, 'meterctl.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), alerts: { url } }));
    writeFileSync(join(folder, '.env'), `METERCTL_ALERT_SECRET=${secret}\n`);
    expect((await run('alerts test')).code).toBe(0);
    const config = await json<{ values: Record<string, { value: unknown }> }>('config');
    expect(config.values['alerts.secret']?.value).not.toBe(secret);
    expect(config.values['alerts.thresholds']?.value).toEqual([50, 80, 100]);
  });

  it.each([
    [{ thresholds: [0] }, /alerts.thresholds/],
    [{ thresholds: '80' }, /alerts.thresholds must be a list of percentages/],
    [{ command: 'mail me' }, /alerts.command must be a list/],
    [{ command: [] }, /alerts.command must name a program/],
    [{ url: 'ftp://x' }, /alerts.url must be an http/],
    [{ url: 'https://ada:pw@example.com' }, /alerts.url must not hold a name or a password/],
    [{ url: 'not' }, /alerts.url must be an http/],
    [{ urls: 'x' }, /alerts.urls is not a setting[\s\S]*Did you mean alerts.url/],
  ])('are checked: %j', async (alerts, says) => {
    const { run } = await ready(alerts);
    const { code, err } = await run('config');
    expect(err).toMatch(says);
    expect(code).toBe(2);
  });

  it('need a secret with enough of it', async () => {
    const { run } = await ready();
    const { code, err } = await run('config', { env: { METERCTL_ALERT_SECRET: 'whsec_short' } });
    expect([code, err]).toEqual([2, expect.stringMatching(/METERCTL_ALERT_SECRET must be whsec_/)]);
    expect(err).not.toContain('short');
  });
});
