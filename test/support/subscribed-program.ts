/** The real program in a folder of its own, set up to sell calls at a dollar, with one customer who has a key. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestFolder } from './folder.js';
import { createProgram, type Program } from './program.js';

/** Sets it up; nothing is served yet. `config` is added to meterctl.json. */
export async function openSubscribedProgram(
  config: Record<string, unknown> = {},
): Promise<{ program: Program; customerId: string; key: string }> {
  const program = createProgram(createTestFolder());
  await program.run([
    'init',
    '--yes',
    '--product',
    'x',
    '--unit',
    'call',
    '--price',
    '1',
    '--currency',
    'usd',
  ]);
  const path = join(program.folder, 'meterctl.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...config }));
  const customer = ['customers', 'create', '--email', 'a@b.c', '--subscribe'];
  const { id } = await program.json<{ id: string }>(customer);
  const { key } = await program.json<{ key: string }>(['keys', 'create', '--customer', id]);
  return { program, customerId: id, key };
}
