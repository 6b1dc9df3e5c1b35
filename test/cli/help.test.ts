import { describe, expect, it } from 'vitest';
import { commandGroups, commandList } from '../../src/cli/command-list.js';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';

const names = commandList.map(({ name }) => name);

describe('help', () => {
  it('lists every first word once, with what it is', async () => {
    const { code, out, err } = await createCommandLine(createTestFolder()).run('--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const word of new Set(names.map((name) => name.split(' ')[0]))) {
      expect(out).toMatch(new RegExp(`^  ${word} +\\S`, 'm'));
    }
  });

  it.each(names)('of %s has options and an example that begins with it', async (name) => {
    const { run } = createCommandLine(createTestFolder());
    const { code, out, err } = await run(`${name} --help`);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`Usage: meterctl ${name}`);
    expect(out).toMatch(new RegExp(`^  \\$ (.*\\| )?meterctl ${name}`, 'm'));
    for (const flag of ['--json', '--config', '--database', '--quiet', '--verbose', '--no-color', '--yes']) {
      expect(out).toContain(flag);
    }
    expect((await run(`help ${name}`)).out).toBe(out);
  });

  it.each(Object.keys(commandGroups))('of %s lists its commands', async (group) => {
    const { code, out } = await createCommandLine(createTestFolder()).run(`${group} --help`);
    expect(code).toBe(0);
    for (const name of names.filter((other) => other.startsWith(`${group} `))) {
      expect(out).toContain(`  ${name.split(' ')[1]} `);
    }
  });

  it('is what the bare program shows', async () => {
    const { run } = createCommandLine(createTestFolder());
    expect(await run('')).toEqual(await run('--help'));
    expect((await run('--version')).out).toBe('0.0.0-test\n');
  });
});

describe('bad usage', () => {
  it.each([
    ...['keys revoke KEY', 'keys list --customer KEY', 'keys scan KEY', 'KEY', 'keys --KEY --verbose'],
    ...['limits set --plan KEY --rate 1/s', 'keys create --customer cus_1 --name KEY'],
  ])('%s tells the hint of a key that stands where none belongs, not the key', async (line) => {
    const key = `mk_test_${'aB3'.repeat(8)}_abcdef`;
    const { code, out, err } = await createCommandLine(createTestFolder()).run(
      `${line.replace('KEY', key)} --json`,
    );
    expect([2, 4]).toContain(code);
    for (const text of [out, err]) {
      expect(text).toContain('mk_test_…cdef');
      expect(text).not.toContain(key);
    }
  });

  it.each([
    ['sk_live_51H8aB3cD4eF5', 'sk_live_…'],
    ['whsec_abcdefgh1234', 'whsec_…'],
    ['rk_test_abc', 'rk_…'],
    ['sk_test_', 'sk_test_'],
  ])('tells of %s no more than %s', async (secret, shown) => {
    const { run } = createCommandLine(createTestFolder());
    for (const line of [`keys show ${secret}`, `keys create --customer ${secret} --json`]) {
      const { code, out, err } = await run(line);
      expect([code, out.includes(secret) || err.includes(secret)]).toEqual([2, secret === shown]);
      expect(err).toContain(`'${shown}'`);
    }
  });

  it('is told whole, also of a value with line breaks', async () => {
    const { run } = createCommandLine(createTestFolder());
    const { err } = await run(['keys', 'create', '--name', 'one\ntwo']);
    expect(err).toContain(`argument 'one two' is invalid. It must be 1 to 200 characters`);
  });

  it.each([
    ['servve', 'There is no command "meterctl servve".', 'Did you mean meterctl serve?'],
    ['keys', 'meterctl keys needs a command: create, list', 'See meterctl keys --help'],
    ['keys crate', 'There is no command "meterctl keys crate".', 'Did you mean meterctl keys create?'],
    ['usage recrod', 'There is no command "meterctl usage recrod".', 'Did you mean meterctl usage record?'],
    ['keys list --limt 3', "Unknown option '--limt'.", 'Did you mean --limit?'],
    ['keys list --limit 0', 'whole number from 1 to 1000', 'See meterctl keys list --help'],
    [
      'keys list --status lost',
      'Allowed choices are active, expired, revoked.',
      'See meterctl keys list --help',
    ],
    ['keys create', 'It is not said for whom the key is.', 'Add --customer cus_'],
    [
      'keys create --customer key_1',
      'It must be an id that starts with cus_.',
      'See meterctl keys create --help',
    ],
    ['keys show', "Missing required argument 'key'.", 'See meterctl keys show --help'],
    ['keys create --customer cus_1 --expires soon', 'It must be a time such as', 'See'],
    ['customers create --email ada', 'It must be an e-mail address', 'See'],
    ['usage record --customer cus_1 --units 1.5', 'It must be a whole number from 1', 'See'],
    ['usage record --customer cus_1 --units 0', 'It must be a whole number from 1', 'See'],
    ['usage record --customer cus_1 --units 1 --at noon', 'It must be a time such as', 'See'],
    ['usage --by year', 'Allowed choices are hour, day, month', 'See'],
    ['invoice', "Missing required argument 'customer'.", 'See meterctl invoice --help'],
    ['serve --port 99999', '--port must be a whole number from 0 to 65535', ''],
    ['emulator advance soon', 'It must be a time such as', 'See'],
    ['--config', "Option '--config <file>' argument missing.", 'See meterctl --help'],
  ])('%s', async (line, message, hint) => {
    const { run } = createCommandLine(createTestFolder());
    const plain = await run(line);
    expect(plain.code).toBe(2);
    expect(plain.out).toBe('');
    expect(plain.err).toContain(message);
    expect(plain.err).toContain(hint);
    expect(plain.err).not.toMatch(/\n\s+at /);
    const scripted = await run(`--json ${line}`);
    expect(scripted.code).toBe(2);
    const { error } = JSON.parse(scripted.out);
    expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining(message) });
    expect(error.hint ?? '').toContain(hint);
  });
});
