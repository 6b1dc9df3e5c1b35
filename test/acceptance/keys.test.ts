/** Keys by the real program: where their secrets never are, and how changes reach a running daemon. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { createTestFolder } from '../support/folder.js';
import { createProgram } from '../support/program.js';
import { createVisitor, hiddenField } from '../support/visitor.js';

interface Made {
  id: string;
  key: string;
}

async function open() {
  const program = createProgram(createTestFolder());
  await program.json(['init', '--yes']);
  const create = ['customers', 'create', '--email', 'ada@example.com', '--subscribe'];
  const { id: customer } = await program.json<{ id: string }>(create);
  const makeKey = () => program.json<Made>(['keys', 'create', '--customer', customer]);
  return { program, customer, makeKey };
}

function call(url: string, key: string, path = '/api'): Promise<Response> {
  return fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
}

/** Everything that lies in the folder, the logs of the databases too. */
function filesOf(folder: string): [name: string, bytes: Buffer][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, readFileSync(path)]);
}

/** The arguments of every process of this machine that can be seen; none on systems without /proc. */
function argumentsOfAll(): string {
  if (!existsSync('/proc')) return '';
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids
    .map((id) => {
      try {
        return readFileSync(`/proc/${id}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    })
    .join('\n');
}

/** Makes a key on the customer's own page. */
async function makeInPortal(url: string, key: string): Promise<{ made: string; pages: string }> {
  const visitor = createVisitor(url);
  expect((await visitor.post('/portal/sign-in', { key })).status).toBe(303);
  const { text } = await visitor.get('/portal');
  const order = { token: hiddenField(text, 'token'), order: hiddenField(text, 'order') };
  const page = await visitor.post('/portal/keys', { ...order, name: 'mine', days: '0' });
  const made = /<code id="api-key"[^>]*>([^<]+)<\/code>/.exec(page.text)?.[1] ?? '';
  return { made, pages: text + (await visitor.get('/portal')).text };
}

describe('a secret', () => {
  it('is in no file, log, metric, message or argument after a whole story', { timeout: 90_000 }, async () => {
    const { program, makeKey } = await open();
    const [first, second] = [await makeKey(), await makeKey()];
    const config = join(program.folder, 'meterctl.json');
    const alerts = { command: ['/bin/sh', '-c', 'cat >> alerts.txt'], thresholds: [10] };
    const limited = { ...JSON.parse(readFileSync(config, 'utf8')), alerts, limits: { quota: '8/month' } };
    writeFileSync(config, JSON.stringify(limited));
    const operator = 'the-operators-own-token';
    const daemon = await program.serve(['--verbose'], { env: { METERCTL_ADMIN_TOKEN: operator } });
    const told: string[] = [];
    const tell = async (response: Response) => {
      told.push(await response.text(), JSON.stringify([...response.headers]));
      return response.status;
    };
    expect(await tell(await call(daemon.url, first.key))).toBe(200);
    expect(await tell(await fetch(`${daemon.url}/api`, { headers: { 'x-api-key': first.key } }))).toBe(200);
    expect(await tell(await fetch(`${daemon.url}/api?apiKey=${first.key}`))).toBe(200);
    const keyed = { headers: { 'idempotency-key': 'once' } };
    for (const _ of ['first', 'repeat']) {
      expect(await tell(await fetch(`${daemon.url}/api?apiKey=${first.key}`, keyed))).toBe(200);
    }
    await eventually(async () => expect(existsSync(join(program.folder, 'alerts.txt'))).toBe(true));
    const wrong = `${first.key.slice(0, -1)}${first.key.endsWith('0') ? '1' : '0'}`;
    expect(await tell(await call(daemon.url, wrong))).toBe(401);
    expect(await tell(await fetch(`${daemon.url}/nowhere?apiKey=${first.key}`))).toBe(404);
    expect(await tell(await fetch(`${daemon.url}/${first.key}`))).toBe(404);
    expect(await tell(await call(daemon.url, operator, `/usage/${first.key}`))).toBe(404);
    expect(await tell(await fetch(`${daemon.url}/api?apiKey=${wrong}`))).toBe(401);
    const { made, pages } = await makeInPortal(daemon.url, first.key);
    expect(made).toMatch(/^mk_test_/);
    expect(await tell(await call(daemon.url, made))).toBe(200);
    const rotated = await program.json<Made>(['keys', 'rotate', second.id, '--grace', '1h']);
    const verified = await program.run(['keys', 'verify', '--verbose'], { stdin: second.key });
    const revoked = await program.run(['keys', 'revoke', second.id]);
    const running = argumentsOfAll();
    await eventually(async () => expect(await tell(await call(daemon.url, second.key))).toBe(401));
    writeFileSync(join(program.folder, 'leak.txt'), first.key);
    const scanned = await program.run(['keys', 'scan', 'leak.txt']);
    writeFileSync(join(program.folder, 'leak.txt'), '');
    const runs = [
      ...[verified, revoked, scanned],
      await program.run(['keys', 'list', '--json']),
      await program.run(['keys', 'revoke', first.key, '--json']),
      await program.run(['keys', 'export']),
      await program.run(['audit', 'list', '--json']),
      await program.run(['config', '--json']),
    ];
    const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
    const filesWhileRunning = filesOf(program.folder);
    expect(filesWhileRunning.map(([name]) => name).join()).toContain('meterctl.db-wal');
    expect(await daemon.stop()).toBe(0);
    const places: [string, string | Buffer][] = [
      ...filesWhileRunning,
      ...filesOf(program.folder),
      ['log', daemon.stderr()],
      ['metrics', metrics],
      ['portal', pages],
      ['arguments', running],
      ...told.map((text): [string, string] => ['answer', text]),
      ...runs.map(({ stdout, stderr }): [string, string] => ['command', stdout + stderr]),
    ];
    for (const secret of [first.key, second.key, rotated.key, made, wrong]) {
      // The part that is random: a prefix and the last characters may be shown.
      const random = secret.slice('mk_test_'.length, -7);
      expect(places.filter(([, text]) => text.includes(random)).map(([place]) => place)).toEqual([]);
    }
  });
});

describe('the audit log', () => {
  it('names the user of the process where the environment does not', async () => {
    const { program, makeKey } = await open();
    const { id } = await makeKey();
    const { data } = await program.json<{ data: object[] }>(['audit', 'list', '--subject', id]);
    expect(data).toMatchObject([{ action: 'key.created', actor: `cli:${userInfo().username}` }]);
  });
});

describe('a running daemon', () => {
  it('follows a rotation: both keys work, then only the new one', async () => {
    const { program, makeKey } = await open();
    const old = await makeKey();
    const { url } = await program.serve();
    expect((await call(url, old.key)).status).toBe(200);
    const { key } = await program.json<Made>(['keys', 'rotate', old.id, '--grace', '3s']);
    expect((await call(url, key)).status).toBe(200);
    expect((await call(url, old.key)).status).toBe(200);
    await eventually(async () => expect((await call(url, old.key)).status).toBe(401));
    expect((await call(url, key)).status).toBe(200);
  });

  it('takes keys of another system without a restart', async () => {
    const { program, customer } = await open();
    const { url } = await program.serve();
    const secret = 'acme-live-0123456789';
    expect((await call(url, secret)).status).toBe(401);
    const row = {
      customer,
      hash: await bcrypt(secret, { cost: 10 }),
      lookup: 'acme-live-01',
      scopes: ['read'],
    };
    await program.json(['keys', 'import'], { stdin: JSON.stringify(row) });
    await eventually(async () => expect((await call(url, secret)).status).toBe(200));
    expect(await (await call(url, `${secret}x`)).json()).toMatchObject({ code: 'invalid_api_key' });
    const { data } = await program.json<{ data: object[] }>(['audit', 'list', '--action', 'key.rehashed']);
    expect(data).toMatchObject([{ actor: 'system', customer }]);
  });

  it('stops every key of a customer at once', async () => {
    const { program, customer, makeKey } = await open();
    const keys = [await makeKey(), await makeKey()];
    const { url } = await program.serve();
    for (const { key } of keys) expect((await call(url, key)).status).toBe(200);
    await program.json(['keys', 'revoke', '--customer', customer]);
    const revokedAtMs = Date.now();
    await eventually(async () => {
      for (const { key } of keys) expect((await call(url, key)).status).toBe(401);
    });
    expect(Date.now() - revokedAtMs).toBeLessThan(1_000);
  });
});
