import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';

describe('a person at the terminal', () => {
  it('is asked for what is missing, told what is wrong, and shown a summary before anything is created', async () => {
    const folder = createTestFolder();
    const { run } = createCommandLine(folder);
    const { code, out, err } = await run('init --unit tile', {
      tty: true,
      typing: [
        ['What do you sell?', 'Maps\r'],
        ['Currency', 'euro\r'],
        ['It must be a currency', '\x7f\r'],
        ['Price of one unit', '0.0002\r'],
        ['An invoice every', '\r'],
        ['Name of the meter', '\r'],
        ['Go ahead?', 'y\r'],
      ],
    });
    expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('Ready in emulator mode');
    expect(err).toMatch(
      /0\.0002 EUR a tile, an invoice every month[\s\S]*\+ price will be created[\s\S]*created price/,
    );
    expect(JSON.parse(readFileSync(join(folder, 'meterctl.json'), 'utf8'))).toMatchObject({
      product: { name: 'Maps', unit: 'tile' },
      price: { amount: '0.0002', currency: 'eur', interval: 'month' },
      meter: { eventName: 'maps_tiles' },
    });
  });

  it.each([
    ['Ctrl-C at a question', [['What do you sell?', '\x03']]],
    [
      'a no to the summary',
      [
        ['What do you sell?', '\r'],
        ['Go ahead?', 'n\r'],
      ],
    ],
  ] as const)('leaves nothing behind after %s', async (_, typing) => {
    const folder = createTestFolder();
    const { run } = createCommandLine(folder);
    const flags = '--unit call --price 1 --currency usd --interval day --event-name calls';
    const { code, out } = await run(`init ${flags}`, { tty: true, typing });
    expect({ code, out }).toEqual({ code: 130, out: '' });
    expect(existsSync(join(folder, '.meterctl'))).toBe(false);
    expect(existsSync(join(folder, 'meterctl.json'))).toBe(false);
  });

  it('confirms what cannot be undone, unless --yes or CI', async () => {
    const { run, json } = createCommandLine(createTestFolder());
    await json('init --yes');
    const { id } = await json<{ id: string }>('customers create --email ada@example.com');
    const key = await json<{ id: string; key: string }>(`keys create --customer ${id}`);
    const kept = await run(`keys revoke ${key.id}`, { tty: true, typing: [['Revoke', 'n\r']] });
    expect(kept).toMatchObject({ code: 130, err: expect.stringContaining('Nothing was done.') });
    const verified = await run('keys verify', { tty: true, typing: [['API key:', `${key.key}\r`]] });
    expect(verified).toMatchObject({ code: 0, out: expect.stringContaining('The key works.') });
    expect(verified.err).not.toContain(key.key);
    expect((await run(`keys revoke ${key.id}`, { tty: true, env: { CI: '1' } })).code).toBe(0);
    expect((await run(`keys revoke ${key.id} --yes`, { tty: true })).err).toContain('revoked before');
  });
});
