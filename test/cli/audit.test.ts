/** The audit log: what is changed from the command line stands in it. */

import { expect, it } from 'vitest';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';

interface Detailed {
  data: { details: Record<string, unknown> }[];
}

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

it('tells times, limits and money as they are told everywhere', async () => {
  const { json, run } = createCommandLine(createTestFolder());
  await json(['init', '--product', 'Fire API', '--unit', 'call', '--price', '0.05']);
  const { id } = await json<{ id: string }>('customers create --email ada@example.com');
  const end = '2099-01-01T00:00:00Z';
  const key = await json<{ id: string }>(
    `keys create --customer ${id} --expires ${end} --ip 192.0.2.0/24 --rate 10/s`,
  );
  const { old } = await json<{ old: { ends_at: string } }>(`keys rotate ${key.id} --grace 1h`);
  await json(
    `limits set ${id} --quota 5/hour --spend-cap 2.50 --prepaid-units 7 --max-in-flight 2 --rate none`,
  );
  await json(`limits set ${id} --none`);
  const { data } = await json<Detailed>('audit list --limit 5');
  const limits = { quota: '5/hour', spend_cap: '2.50', prepaid_units: 7, max_in_flight: 2, rate: null };
  expect(data.map(({ details }) => details)).toMatchObject([
    { limits: null },
    { limits },
    { limits: { rate: '10/s' }, expires_at: expect.stringMatching(/Z$/), follows: key.id },
    { ends_at: old.ends_at, successor: expect.any(String) },
    { expires_at: end, ip_allow: ['192.0.2.0/24'], limits: { rate: '10/s' } },
  ]);
  expect((await run('audit list')).out).toContain(`expires_at=${end}`);
});
