/** Commands about keys that fail half way: they say what was done, and can be run again. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createTestFolder } from '../support/folder.js';
import { createProgram } from '../support/program.js';

const bin = fileURLToPath(new URL('../../bin/meterctl.js', import.meta.url));

async function open() {
  const program = createProgram(createTestFolder());
  await program.json(['init', '--yes']);
  const create = ['customers', 'create', '--email', 'ada@example.com', '--subscribe'];
  return { program, customer: (await program.json<{ id: string }>(create)).id };
}

function rows(customer: string, count: number): string {
  const hashOf = (index: number) => createHash('sha256').update(`secret ${index}`).digest('hex');
  return Array.from(
    { length: count },
    (_, index) => `${JSON.stringify({ customer, hash: hashOf(index) })}\n`,
  ).join('');
}

it('keys import takes what stands before a bad line, says so, and goes on from there', async () => {
  const { program, customer } = await open();
  const good = rows(customer, 1_500);
  const broken = await program.run(['keys', 'import', '--json'], { stdin: `${good}{"customer":"cu` });
  expect(broken.code).toBe(2);
  expect(JSON.parse(broken.stdout)).toMatchObject({
    error: {
      code: 'invalid',
      message: expect.stringContaining('Line 1501'),
      hint: expect.stringContaining('1500 keys'),
    },
  });
  expect(await program.json(['keys', 'import'], { stdin: rows(customer, 1_501) })).toEqual({
    imported: 1,
    known: 1_500,
  });
});

it('keys export carries every limit of a key', async () => {
  const { program, customer } = await open();
  const { id } = await program.json<{ id: string }>([
    'keys',
    'create',
    '--customer',
    customer,
    '--rate',
    '10/s',
  ]);
  await program.json(['limits', 'set', '--key', id, '--max-in-flight', '7']);
  const { stdout } = await program.run(['keys', 'export']);
  expect(JSON.parse(stdout)).toMatchObject({ id, rate: '10/s', max_in_flight: 7 });
  const database = ['--database', 'other.db'];
  await program.json(['customers', 'import', customer, ...database]);
  await program.json(['keys', 'import', ...database], { stdin: stdout });
  expect((await program.run(['keys', 'export', ...database])).stdout).toBe(stdout);
});

it.skipIf(!existsSync('/dev/full'))(
  'a disk that is full behind the output is told without a stack',
  async () => {
    const { program, customer } = await open();
    const args = [bin, 'keys', 'create', '--customer', customer];
    const stdio = ['ignore', openSync('/dev/full', 'w'), 'pipe'] as const;
    const child = spawn(process.execPath, args, { cwd: program.folder, stdio: [...stdio] });
    let stderr = '';
    child.stderr?.on('data', (text: Buffer) => {
      stderr += text;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(7);
    expect(stderr).toMatch(/error: The output cannot be written: ENOSPC/);
    expect(stderr).not.toMatch(/ {4}at /);
  },
);
