import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';

const init = ['init', '--product', 'Fire API', '--unit', 'call', '--price', '0.05'];

interface Listed<T> {
  data: T[];
  next_cursor: string | null;
}

async function ready() {
  const folder = createTestFolder();
  const line = createCommandLine(folder);
  await line.json(init);
  return { folder, ...line };
}

async function withCustomer() {
  const line = await ready();
  const create = 'customers create --email ada@example.com --subscribe';
  return { ...line, customer: (await line.json<{ id: string }>(create)).id };
}

describe('init', () => {
  it('creates once, writes the file, and converges', async () => {
    const folder = createTestFolder();
    mkdirSync(join(folder, '.git'));
    const { json } = createCommandLine(folder);
    const first = await json<Record<string, unknown>>(init);
    expect(first).toMatchObject({
      mode: 'emulator',
      meter: { id: expect.stringMatching(/^mtr_/), event_name: 'fire_api_calls' },
      product: { id: expect.any(String) },
      price: { id: expect.stringMatching(/^price_/), lookup_key: expect.any(String) },
      webhook: null,
      created: expect.arrayContaining(['meter', 'product', 'price']),
    });
    expect(await json('init')).toEqual({ ...first, created: [] });
    expect(JSON.parse(readFileSync(join(folder, 'meterctl.json'), 'utf8'))).toMatchObject({
      mode: 'emulator',
      price: { amount: '0.05', currency: 'usd', interval: 'month' },
    });
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('.meterctl/\n');
  });

  it('names the flags that are missing where nobody can be asked', async () => {
    const { run } = createCommandLine(createTestFolder());
    const { code, err } = await run('init --unit call');
    expect(code).toBe(2);
    expect(err).toContain('--product, --price missing');
  });

  it('takes defaults with --yes, and leaves no trace of a dry run', async () => {
    const folder = createTestFolder();
    const { json } = createCommandLine(folder);
    const plan = await json<{ mode: string; plan: { part: string; action: string }[] }>(
      'init --yes --dry-run',
    );
    expect(plan.mode).toBe('emulator');
    expect(plan.plan).toContainEqual(expect.objectContaining({ part: 'price', action: 'create' }));
    expect(existsSync(join(folder, '.meterctl'))).toBe(false);
    expect(existsSync(join(folder, 'meterctl.json'))).toBe(false);
    expect(await json('init --yes')).toMatchObject({ meter: { event_name: 'my_api_calls' } });
  });

  it('keeps the signing secrets of webhooks in .env', async () => {
    const { folder, json } = await ready();
    const result = await json<{ webhook: { id: string } }>('init --webhook-url http://127.0.0.1:9/webhook');
    expect(result.webhook.id).toMatch(/^we_/);
    const secrets = /^STRIPE_WEBHOOK_SECRET=(.*)$/m.exec(readFileSync(join(folder, '.env'), 'utf8'))?.[1];
    expect(secrets?.split(',')).toHaveLength(2);
    expect(readFileSync(join(folder, 'meterctl.json'), 'utf8')).not.toContain('whsec_');
    expect(await json('init --webhook-url http://127.0.0.1:9/webhook')).toMatchObject({ created: [] });
    expect((await json<{ webhook: { id: string } }>('init')).webhook).toEqual(result.webhook);
  });

  it.each([
    ['--price 1e3', 2, '--price must be a plain decimal'],
    ['--price 0.12345678901234567', 2, '--price cannot be charged'],
    ['--price -1', 2, '--price must be a plain decimal'],
    ['--currency euro', 2, '--currency must be a currency of three letters'],
    ['--interval fortnight', 2, '--interval must be day, week, month or year'],
    ['--event-name a/b', 2, '--event-name must be 1 to 100 letters'],
    ['--webhook-url example.com', 2, '--webhook-url must be an http:// or https:// URL'],
  ])('refuses %s', async (flags, code, message) => {
    const { run } = createCommandLine(createTestFolder());
    const result = await run([...init, ...flags.split(' ')]);
    expect(result.code).toBe(code);
    expect(result.err).toContain(message);
  });

  it('explains that another price is a conflict', async () => {
    const { run, json } = await ready();
    expect((await run('init --price 0.06')).code).toBe(6);
    expect(await json('init --price 0.050')).toMatchObject({ created: [] });
  });
});

describe('customers', () => {
  it('are created, shown, listed in pages and synced', async () => {
    const { json, run, customer } = await withCustomer();
    const shown = await json<object>(`customers show ${customer}`);
    expect(shown).toMatchObject({
      id: customer,
      email: 'ada@example.com',
      status: 'active',
      subscription: { status: 'active', period: { start: expect.any(String), end: expect.any(String) } },
    });
    await json('customers create --email bob@example.com');
    const page = await json<Listed<{ email: string; status: string }>>('customers list --limit 1');
    expect(page.data).toMatchObject([{ email: 'bob@example.com', status: 'inactive', subscription: null }]);
    const next = await json<Listed<object>>(`customers list --limit 1 --cursor ${page.next_cursor}`);
    expect(next).toEqual({ data: [shown], next_cursor: null });
    expect(await json('customers sync')).toEqual({ synced: 2, unknown: [] });
    expect(await json(`customers sync ${customer}`)).toEqual(shown);
    expect((await run('customers show cus_other')).code).toBe(4);
    expect((await run('customers import cus_other')).code).toBe(4);
  });

  it('are adopted from Stripe by another database', async () => {
    const { json, customer } = await withCustomer();
    const other = `customers import ${customer} --database other.db`;
    expect(await json(other)).toMatchObject({ id: customer, status: 'active' });
  });
});

describe('keys', () => {
  it('live from create to revoke', async () => {
    const { json, run, customer } = await withCustomer();
    const words = [
      'keys',
      'create',
      '--customer',
      customer,
      '--name',
      'ci',
      '--expires',
      '90d',
      '--scope',
      'a,b',
    ];
    const made = await json<{ id: string; key: string; expires_at: string }>(words);
    expect(made).toMatchObject({
      customer,
      name: 'ci',
      scopes: ['a', 'b'],
      key: expect.stringMatching(/^mk_test_/),
    });
    const listed = await run(`keys list --customer ${customer} --status active --json`);
    expect(JSON.parse(listed.out).data).toMatchObject([
      { id: made.id, status: 'active', last_used_at: null },
    ]);
    expect(listed.out).not.toContain(made.key);
    expect(await run('keys verify', { input: `${made.key}\n` })).toMatchObject({ code: 0 });
    expect(await json(`keys revoke ${made.id}`)).toMatchObject({ id: made.id, status: 'revoked' });
    expect(await json(`keys revoke ${made.id}`)).toMatchObject({ status: 'revoked' });
    const verified = await run('keys verify --json', { input: made.key });
    expect(verified.code).toBe(3);
    expect(JSON.parse(verified.out)).toMatchObject({ valid: false, status: 'revoked', key: { id: made.id } });
    expect(verified.out).not.toContain(made.key);
  });

  it('are shown alone on stdout, with the warning beside', async () => {
    const { run, customer } = await withCustomer();
    const { out, err } = await run(`keys create --customer ${customer}`);
    expect(out).toMatch(/^mk_test_\w+\n$/);
    expect(err).toContain('cannot be shown again');
    expect((await run(`keys create --customer ${customer} --quiet`)).err).toBe('');
  });

  it.each([
    ['nonsense', 3],
    ['m'.repeat(1_000_000), 3],
    ['', 2],
  ])('verify turns bad input away', async (input, code) => {
    const { run } = await ready();
    expect((await run('keys verify', { input })).code).toBe(code);
  });

  it('cannot be born expired or without a customer', async () => {
    const { run, customer } = await withCustomer();
    expect((await run(`keys create --customer ${customer} --expires 2020-01-01`)).code).toBe(2);
    expect((await run('keys create --customer cus_other')).code).toBe(4);
    expect((await run('keys show key_other')).code).toBe(4);
  });
});

describe('usage', () => {
  it('is recorded once, reported and waits in the outbox', async () => {
    const { json, run, customer } = await withCustomer();
    const record = `usage record --customer ${customer} --units 1250 --idempotency-key job-1`;
    const first = await json<{ id: number }>(record);
    expect(first).toMatchObject({ units: 1250, recorded: 'new' });
    expect(await json(record)).toEqual({ ...first, recorded: 'repeat' });
    const report = await json<{ data: object[]; total: object }>('usage --by customer');
    expect(report.data).toEqual([{ customer, units: 1250, requests: 1 }]);
    expect(report.total).toMatchObject({ units: 1250, pending: 1250, delivered: 0 });
    expect((await run('usage')).out).toMatch(/1,250 units in 1 request: 1,250 pending\n$/);
    expect((await run('usage --by route --csv')).out).toBe('route,units,requests\nusage record,1250,1\n');
    expect(await json('outbox status')).toMatchObject({ pending: 1, delivered: 0, refused: 0 });
    const outbox = await json<Listed<object>>(`outbox list --customer ${customer}`);
    expect(outbox.data).toMatchObject([{ customer, units: 1250, delivered_at: null }]);
    const invoice = await json(`invoice ${customer}`);
    expect(invoice).toMatchObject({ customer, currency: 'usd', amount_due: '0.00', pending_units: 1250 });
    expect((await run(`invoice ${customer}`)).out).toContain('1,250 units of this period are not delivered');
  });

  it.each([
    ['usage --from 2026-12-01 --to 2026-11-01', 2],
    ['usage --csv --json', 2],
    ['usage --customer cus_other', 4],
    ['usage --key key_other', 4],
    ['usage record --customer cus_other --units 1', 4],
    ['usage record --customer cus_other --units 1 --at 2020-01-01', 2],
    ['invoice cus_other', 4],
  ])('%s ends with %d', async (line, code) => {
    const { run } = await ready();
    expect((await run(line)).code).toBe(code);
  });
});

describe('the embedded Stripe', () => {
  it('advances, and invoices follow', async () => {
    const { json, run, customer } = await withCustomer();
    const before = await json<{ subscription: { period: { end: string } } }>(`customers show ${customer}`);
    await json('emulator advance 1mo');
    await json(`customers sync ${customer}`);
    const after = await json<{ subscription: { period: { start: string } } }>(`customers show ${customer}`);
    expect(after.subscription.period.start).toBe(before.subscription.period.end);
    expect((await run('emulator advance 2020-01-01')).code).toBe(2);
  });

  it('is thrown away with everything that was counted, and set up anew', async () => {
    const { json, folder } = await withCustomer();
    expect((await json<{ removed: string[] }>('emulator reset')).removed).toHaveLength(2);
    expect(existsSync(join(folder, '.meterctl', 'meterctl.db'))).toBe(false);
    expect(await json('init')).toMatchObject({ created: expect.arrayContaining(['meter']) });
    expect(await json('customers list')).toEqual({ data: [], next_cursor: null });
  });

  it('is never reset together with a ledger of another mode', async () => {
    const { folder, json, run } = await ready();
    const live = { STRIPE_SECRET_KEY: 'rk_live_0123456789abcdef' };
    const file = JSON.parse(readFileSync(join(folder, 'meterctl.json'), 'utf8'));
    writeFileSync(join(folder, 'live.json'), JSON.stringify({ ...file, mode: 'live' }));
    await json('keys list --config live.json --database live.db', { env: live });
    expect((await run('emulator reset --database live.db')).code).toBe(6);
    expect(existsSync(join(folder, 'live.db'))).toBe(true);
    expect(existsSync(join(folder, '.meterctl', 'emulator.db'))).toBe(true);
  });

  it('listens until it is asked to stop', async () => {
    const { json } = createCommandLine(createTestFolder());
    const line = await json<{ event: string; url: string }>('emulator start --port 0');
    expect(line).toMatchObject({ event: 'listening', mode: 'emulator' });
  });
});

describe('settings', () => {
  it('are shown with their sources, secrets masked, even when the key is lost', async () => {
    const folder = createTestFolder();
    const { run, json } = createCommandLine(folder);
    writeFileSync(join(folder, '.env'), 'STRIPE_SECRET_KEY=sk_test_0123456789abcdef\n');
    const config = await json<{ values: Record<string, object> }>('config', { env: { METERCTL_PORT: '81' } });
    expect(config.values['server.port']).toEqual({ value: 81, source: 'environment' });
    expect(config.values['stripe.secretKey']).toEqual({ value: 'sk_test_…cdef', source: '.env' });
    expect(config.values.mode).toEqual({ value: 'test', source: '.env' });
    writeFileSync(join(folder, '.env'), '');
    writeFileSync(join(folder, 'meterctl.json'), '{"mode": "live"}');
    const lost = await run('config');
    expect(lost).toMatchObject({ code: 5, err: expect.stringContaining('there is no Stripe key') });
    expect(lost.out).toContain('server.port');
  });

  it('of a folder without init are explained', async () => {
    const { run } = createCommandLine(createTestFolder());
    for (const line of ['keys list', 'serve', 'usage']) {
      expect(await run(line)).toMatchObject({ code: 2, err: expect.stringContaining('meterctl init') });
    }
  });

  it('refuse a database that is none, and one of another mode', async () => {
    const { folder, run } = await ready();
    writeFileSync(join(folder, 'bad.db'), 'x'.repeat(5000));
    const bad = await run('keys list --database bad.db');
    expect(bad.code).toBe(7);
    expect(bad.err).not.toMatch(/\n\s+at /);
    const file = JSON.parse(readFileSync(join(folder, 'meterctl.json'), 'utf8'));
    writeFileSync(join(folder, 'other.json'), JSON.stringify({ ...file, mode: 'test' }));
    const env = { STRIPE_SECRET_KEY: 'sk_test_0123456789abcdef' };
    expect((await run('keys list --config other.json', { env })).code).toBe(6);
  });
});

describe('serve', () => {
  it('says where it listens, then stops when asked', async () => {
    const { run } = await ready();
    const { code, out, err } = await run('serve --port 0 --json');
    expect(err).not.toContain('error:');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ event: 'listening', mode: 'emulator' });
  });
});
