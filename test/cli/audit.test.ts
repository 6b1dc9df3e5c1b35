/** The audit log: what is changed from the command line stands in it. */

import { expect, it } from 'vitest';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';

interface Entry {
  action: string;
  subject: string;
  customer: string | null;
  actor: string;
}

it('tells of customers and of usage that came by hand, once', async () => {
  const { json } = createCommandLine(createTestFolder());
  await json(['init', '--product', 'Fire API', '--unit', 'call', '--price', '0.05']);
  const { id } = await json<{ id: string }>('customers create --email ada@example.com --subscribe');
  await json(`customers import ${id}`);
  const record = `usage record --customer ${id} --units 3 --idempotency-key once`;
  const recorded = await json<{ id: number }>(record);
  await json(record);
  const { data } = await json<{ data: Entry[] }>('audit list');
  expect(data.map(({ action, subject, customer }) => [action, subject, customer])).toEqual([
    ['usage.recorded', String(recorded.id), id],
    ['customer.imported', id, id],
    ['customer.created', id, id],
  ]);
  expect(data.every(({ actor }) => actor.startsWith('cli:'))).toBe(true);
});
