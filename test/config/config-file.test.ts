import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfigFile, writeConfigFile } from '../../src/config/config-file.js';
import { createTestFolder } from '../support/folder.js';

const price = { amount: '0.05', currency: 'usd', interval: 'month' } as const;

function read(text: string) {
  const path = join(createTestFolder(), 'meterctl.json');
  writeFileSync(path, text);
  try {
    return { file: readConfigFile(path), message: '', hint: undefined };
  } catch (error) {
    const { message, hint, code } = error as { message: string; hint?: string; code: string };
    expect(code).toBe('invalid');
    return { file: undefined, message: message.replace(path, 'FILE'), hint };
  }
}

describe('meterctl.json', () => {
  it('may be missing', () => {
    expect(readConfigFile(join(createTestFolder(), 'meterctl.json'))).toBeUndefined();
  });

  it.each([
    ['{"prise": {}}', 'FILE: prise is not a setting.', 'Did you mean price?'],
    ['{"server": {"prot": 1}}', 'FILE: server.prot is not a setting.', 'Did you mean server.port?'],
    ['{"routes": [{"unit": 3}]}', 'routes.0.unit is not a setting.', 'Did you mean routes.0.units?'],
    ['{"delivery": {"x": 1}}', 'FILE: delivery.x is not a setting.', 'delivery knows: window.'],
    ['{"server": {"port": "80"}}', 'FILE: server.port must be a whole number from 0 to 65535', undefined],
    ['{"server": {"port": 70000}}', 'FILE: server.port must be a whole number', undefined],
    ['{"server": 1}', 'FILE: server must be an object { … }.', undefined],
    [
      '{"server": {"upstream": "ftp://x"}}',
      'FILE: server.upstream must be an http:// or https:// URL',
      undefined,
    ],
    ['{"server": {"upstream": "http://me:pw@x"}}', 'without user', undefined],
    ['{"meter": {}}', 'FILE: meter.eventName is missing.', undefined],
    ['{"mode": "prod"}', 'FILE: mode must be emulator, test or live.', undefined],
    ['{"price": {"amount": 0.05, "currency": "usd", "interval": "month"}}', 'in quotes', undefined],
    ['{"price": {"amount": "0.05", "currency": "us", "interval": "month"}}', 'three letters', undefined],
    [
      '{"price": {"amount": "0.1234567890123456", "currency": "usd", "interval": "month"}}',
      'cannot be charged',
      undefined,
    ],
    ['{"auth": {"keyPrefix": "MK"}}', 'auth.keyPrefix must be 2 to 12 small letters and digits', undefined],
    [
      '{"auth": {"keyPepper": "x"}}',
      'FILE: auth.keyPepper is not a setting.',
      'auth knows: queryParameter, keyPrefix.',
    ],
    ['{"server": {"trustProxy": true}}', 'server.trustProxy must be a number of proxies', undefined],
    ['{"server": {"trustProxy": ["everybody"]}}', 'FILE: server.trustProxy.0 must be an address', undefined],
    ['{"delivery": {"window": "1mo"}}', 'FILE: delivery.window must be a duration', undefined],
    ['{"delivery": {"window": "2h"}}', 'FILE: delivery.window must be a duration from 1s to 1h', undefined],
    ['{"access": {"pastDueGrace": 14}}', 'FILE: access.pastDueGrace must be a duration', undefined],
    ['[]', 'FILE: it must hold one object { … }.', undefined],
    ['{"mode": "test",}', 'FILE is not JSON', 'Look for a missing quote'],
    ['', 'FILE is not JSON', undefined],
  ])('refuses %s', (text, message, hint) => {
    const result = read(text);
    expect(result.message).toContain(message);
    if (hint !== undefined) expect(result.hint).toContain(hint);
  });

  it('names every fault at once', () => {
    const { message } = read('{"mode": "x", "server": {"port": -1}}');
    expect(message).toMatch(/mode must be .*; server\.port must be /);
  });

  it('reads back what it writes, in one order, without leftovers', () => {
    const folder = createTestFolder();
    const path = join(folder, 'meterctl.json');
    writeConfigFile(path, {
      delivery: { window: '3s' },
      price: { ...price, currency: 'USD' },
      mode: 'test',
      server: { upstream: 'http://localhost:3000/base/' },
    });
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')))).toEqual([
      'mode',
      'price',
      'server',
      'delivery',
    ]);
    expect(readConfigFile(path)).toEqual({
      mode: 'test',
      price,
      server: { upstream: 'http://localhost:3000/base' },
      delivery: { window: '3s' },
    });
  });

  it('keeps a symbolic link and replaces the file behind it', () => {
    const folder = createTestFolder();
    const path = join(folder, 'meterctl.json');
    symlinkSync(join(folder, 'real.json'), path);
    writeFileSync(join(folder, 'real.json'), '{}');
    writeConfigFile(path, { mode: 'live' });
    expect(JSON.parse(readFileSync(join(folder, 'real.json'), 'utf8'))).toEqual({ mode: 'live' });
    expect(statSync(path).isFile()).toBe(true);
  });

  it('explains a folder that is not there', () => {
    expect(() => writeConfigFile(join(createTestFolder(), 'no', 'meterctl.json'), {})).toThrow(
      expect.objectContaining({ code: 'unavailable' }),
    );
  });
});
