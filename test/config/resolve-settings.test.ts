import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeSettings, maskSecret } from '../../src/config/describe-settings.js';
import { resolveSettings } from '../../src/config/resolve-settings.js';
import { gatherSources, type SettingFlags } from '../../src/config/sources.js';
import { createTestFolder } from '../support/folder.js';

interface Given {
  env?: Record<string, string>;
  flags?: SettingFlags;
  dotenv?: string;
  file?: object;
}

function gather(given: Given, folder = createTestFolder()) {
  if (given.dotenv !== undefined) writeFileSync(join(folder, '.env'), given.dotenv);
  if (given.file) writeFileSync(join(folder, 'meterctl.json'), JSON.stringify(given.file));
  return gatherSources({ folder, env: given.env ?? {}, flags: given.flags ?? {} });
}

function settingsOf(given: Given, folder = createTestFolder()) {
  return resolveSettings(gather(given, folder), folder);
}

const testKey = 'sk_test_51HxAbCdEfGh4f2a';
const liveKey = 'rk_live_51HxAbCdEfGh4f2a';

describe('how often Stripe is asked for events', () => {
  it.each([
    [{}, 3_600_000],
    [{ env: { STRIPE_SECRET_KEY: testKey } }, 60_000],
    [{ env: { STRIPE_SECRET_KEY: testKey, STRIPE_WEBHOOK_SECRET: 'whsec_1' } }, 3_600_000],
    [{ env: { STRIPE_API_BASE: 'http://127.0.0.1:12111' } }, 60_000],
    [{ file: { webhooks: { poll: '15s' } } }, 15_000],
  ])('depends on whether webhooks come: %j', (given, pollMs) => {
    expect(settingsOf(given).webhooks).toEqual({ pollMs });
  });
});

describe('precedence', () => {
  it.each([
    [{}, 8080, 'default'],
    [{ file: { server: { port: 1 } } }, 1, 'meterctl.json'],
    [{ file: { server: { port: 1 } }, dotenv: 'METERCTL_PORT=2' }, 2, '.env'],
    [
      { file: { server: { port: 1 } }, dotenv: 'METERCTL_PORT=2', env: { METERCTL_PORT: '3' } },
      3,
      'environment',
    ],
    [{ env: { METERCTL_PORT: '3' }, flags: { port: '4' } }, 4, 'flag'],
    [{ env: { METERCTL_PORT: '' }, dotenv: 'METERCTL_PORT=2' }, 2, '.env'],
  ])('%j', (given, value, source) => {
    expect(gather(given as Given).port).toEqual({ value, source });
  });

  it('takes STRIPE_SECRET_KEY before STRIPE_API_KEY, wherever they stand', () => {
    const given = { env: { STRIPE_API_KEY: liveKey }, dotenv: `STRIPE_SECRET_KEY=${testKey}` };
    expect(gather(given).secretKey).toEqual({ value: testKey, source: '.env' });
    expect(settingsOf({ env: { STRIPE_API_KEY: testKey } }).mode).toBe('test');
  });

  it('finds the file that is named', () => {
    const folder = createTestFolder();
    writeFileSync(join(folder, 'other.json'), '{"server": {"host": "::1"}}');
    const settings = settingsOf({ env: { METERCTL_CONFIG: 'other.json' } }, folder);
    expect(settings.server.host).toBe('::1');
    expect(settings.configPath).toBe(join(folder, 'other.json'));
  });
});

describe('settings', () => {
  it('have defaults for an empty folder', () => {
    const folder = createTestFolder();
    expect(settingsOf({}, folder)).toEqual({
      mode: 'emulator',
      configPath: join(folder, 'meterctl.json'),
      stripe: { secretKey: 'sk_test_emulator', apiBase: null, webhookSecrets: [] },
      catalog: null,
      catalogIds: null,
      databasePath: join(folder, '.meterctl', 'meterctl.db'),
      emulatorDatabasePath: join(folder, '.meterctl', 'emulator.db'),
      server: {
        host: '127.0.0.1',
        port: 8080,
        publicUrl: null,
        upstream: null,
        adminToken: null,
        trustProxy: 0,
      },
      auth: { queryParameter: true, keyPrefix: 'mk', keyPepper: null },
      access: { pastDueGraceMs: 14 * 86_400_000 },
      delivery: { windowMs: 2000, ratePerSecond: 20 },
      limits: {},
      alerts: { thresholds: [50, 80, 100], url: null, secret: null, command: null },
      gateway: {
        replicas: [],
        headTimeoutMs: 30_000,
        idleTimeoutMs: 300_000,
        requestBytesMax: Number.POSITIVE_INFINITY,
        healthPath: null,
        routes: [],
      },
      webhooks: { pollMs: 3_600_000 },
    });
  });

  it('know live mode', () => {
    const settings = settingsOf({ env: { STRIPE_SECRET_KEY: liveKey } });
    expect(settings).toMatchObject({
      mode: 'live',
      auth: { queryParameter: false },
      delivery: { ratePerSecond: 800 },
    });
  });

  it('read how keys are made and where callers come from', () => {
    const file = {
      mode: 'emulator',
      auth: { keyPrefix: 'acme' },
      server: { trustProxy: ['10.0.0.0/8', 'loopback'] },
    };
    expect(settingsOf({ file, env: { METERCTL_KEY_PEPPER: 'pepper' } })).toMatchObject({
      auth: { keyPrefix: 'acme', keyPepper: 'pepper' },
      server: { trustProxy: ['10.0.0.0/8', 'loopback'] },
    });
  });

  it('read the catalog and the ids', () => {
    const file = {
      mode: 'emulator',
      product: { name: 'Weather', unit: 'call' },
      price: { amount: '0.05', currency: 'USD', interval: 'month' },
      meter: { eventName: 'weather_calls' },
      stripe: { meter: 'mtr_1', product: 'prod_1', price: 'price_1', webhooks: [] },
    };
    expect(settingsOf({ file })).toMatchObject({
      catalog: { productName: 'Weather', unit: 'call', price: '0.05', currency: 'usd', interval: 'month' },
      catalogIds: { meter: 'mtr_1', product: 'prod_1', price: 'price_1' },
    });
  });

  it('take several webhook secrets and a relative database', () => {
    const folder = createTestFolder();
    const env = { STRIPE_WEBHOOK_SECRET: 'whsec_a, whsec_b,', METERCTL_DATABASE: 'data/my.db' };
    const settings = settingsOf({ env }, folder);
    expect(settings.stripe.webhookSecrets).toEqual(['whsec_a', 'whsec_b']);
    expect(settings.databasePath).toBe(join(folder, 'data', 'my.db'));
  });

  it.each([
    [{ flags: { port: '80a' } }, '--port must be a whole number'],
    [{ flags: { port: '1e3' } }, '--port must be a whole number'],
    [{ env: { METERCTL_PORT: '65536' } }, 'METERCTL_PORT must be a whole number'],
    [{ dotenv: 'METERCTL_HOST=a b' }, 'METERCTL_HOST in .env must be a host name'],
    [{ env: { STRIPE_WEBHOOK_SECRET: 'we_123' } }, 'start with whsec_'],
    [{ env: { METERCTL_DATABASE: 'postgres://db/x' } }, 'SQLite'],
    [{ flags: { upstream: 'localhost:3000' } }, '--upstream must be an http:// or https:// URL'],
  ])('refuse %j', (given, message) => {
    expect(() => settingsOf(given as Given)).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(message) }),
    );
  });
});

describe('the mode', () => {
  it.each([
    [{ env: { STRIPE_SECRET_KEY: testKey } }, 'test'],
    [{ env: { STRIPE_SECRET_KEY: testKey, STRIPE_API_BASE: 'http://10.0.0.1:9' } }, 'test'],
    [{ env: { STRIPE_API_BASE: 'http://127.0.0.1:12111/' } }, 'emulator'],
    [{ env: { STRIPE_API_BASE: 'http://[::1]:12111' } }, 'emulator'],
    [{ file: { mode: 'emulator' } }, 'emulator'],
    [{ file: { mode: 'live' }, dotenv: `STRIPE_SECRET_KEY=${liveKey}` }, 'live'],
  ])('%j is %s', (given, mode) => {
    expect(settingsOf(given as Given).mode).toBe(mode);
  });

  it.each([
    [{ file: { mode: 'test' } }, 'unauthorized', 'there is no Stripe key'],
    [{ file: { mode: 'live' }, env: { STRIPE_SECRET_KEY: ' ' } }, 'unauthorized', 'there is no Stripe key'],
    [{ file: { mode: 'live' }, env: { STRIPE_SECRET_KEY: testKey } }, 'conflict', 'is a test key'],
    [{ file: { mode: 'emulator' }, env: { STRIPE_API_KEY: testKey } }, 'conflict', 'is in emulator mode'],
    [{ env: { STRIPE_SECRET_KEY: 'pk_test_123' } }, 'invalid', 'a publishable key'],
    [{ env: { STRIPE_SECRET_KEY: 'hunter2' } }, 'invalid', 'no secret or restricted key'],
    [
      { env: { STRIPE_SECRET_KEY: liveKey, STRIPE_API_BASE: 'http://127.0.0.1:1' } },
      'invalid',
      'refused with a live',
    ],
    [{ env: { STRIPE_API_BASE: 'https://api.stripe.com' } }, 'invalid', 'nothing leaves the machine'],
    [{ env: { STRIPE_API_BASE: 'http://127.0.0.1.evil.test' } }, 'invalid', 'nothing leaves the machine'],
    [{ env: { STRIPE_API_BASE: 'http://127.0.0.1/v1' } }, 'invalid', 'without a path'],
  ])('%j is an error', (given, code, message) => {
    const run = () => settingsOf(given as Given);
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
    expect(run).not.toThrow(/hunter2|51Hx/);
  });
});

describe('what is shown', () => {
  it('masks secrets and names sources', () => {
    const sources = gather({
      env: { STRIPE_SECRET_KEY: testKey, METERCTL_ADMIN_TOKEN: 'a-long-admin-token' },
      dotenv: 'STRIPE_WEBHOOK_SECRET=whsec_abcdefghijklmnop,whsec_short',
    });
    const shown = describeSettings(sources, '/', { value: 'test', source: 'environment' });
    const text = JSON.stringify(shown);
    expect(text).not.toMatch(/51Hx|abcdefgh|a-long-admin/);
    expect(shown).toContainEqual({ name: 'stripe.secretKey', value: 'sk_test_…4f2a', source: 'environment' });
    expect(shown).toContainEqual({
      name: 'stripe.webhookSecrets',
      value: ['whsec_…mnop', '…'],
      source: '.env',
    });
    expect(shown).toContainEqual({ name: 'server.port', value: 8080, source: 'default' });
  });

  it.each([
    ['sk_live_0123456789abcdef', 'sk_live_…cdef'],
    ['token', '…'],
    ['', '…'],
  ])('masks %s', (secret, shown) => {
    expect(maskSecret(secret)).toBe(shown);
  });
});
