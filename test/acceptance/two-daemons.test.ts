/** Two processes that sell to one customer on one database: together they sell what its limits leave, to the unit. */

import { Agent, request } from 'node:http';
import { expect, it } from 'vitest';
import { createTestFolder } from '../support/folder.js';
import { createProgram } from '../support/program.js';

const quota = 2_000;

/** Makes so many calls over 50 kept connections, and counts the statuses. */
async function flood(url: string, key: string, calls: number): Promise<Record<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const statuses: Record<number, number> = {};
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const sent = request(`${url}/api`, { agent, headers: { 'x-api-key': key } }, (answer) => {
        const status = answer.statusCode ?? 0;
        statuses[status] = (statuses[status] ?? 0) + 1;
        answer.resume().on('end', resolve);
      });
      sent.on('error', reject).end();
    });
  await Promise.all(Array.from({ length: calls }, one));
  agent.destroy();
  return statuses;
}

it('sell exactly what is left, whatever comes at both at once', { timeout: 120_000 }, async () => {
  const program = createProgram(createTestFolder());
  await program.json(['init', '--product', 'Fire API', '--unit', 'call', '--price', '1.00']);
  const create = ['customers', 'create', '--email', 'ada@example.com', '--subscribe'];
  const { id } = await program.json<{ id: string }>(create);
  const createKey = ['keys', 'create', '--customer', id];
  const one = await program.json<{ key: string }>(createKey);
  const two = await program.json<{ key: string }>([...createKey, '--quota', '700/period']);
  await program.json(['limits', 'set', id, '--quota', `${quota}/month`, '--spend-cap', '5000.00']);
  const daemons = [await program.serve(), await program.serve()];
  const [first, second] = daemons.map(({ url }) => url) as [string, string];
  const ofKey = await Promise.all([flood(first, two.key, 900), flood(second, two.key, 900)]);
  expect(ofKey.map((statuses) => statuses[200] ?? 0).reduce((sum, calls) => sum + calls)).toBe(700);
  const rest = await Promise.all([
    flood(first, one.key, 2_000),
    flood(second, one.key, 2_000),
    flood(second, two.key, 200),
  ]);
  const sold = rest.map((statuses) => statuses[200] ?? 0);
  expect(sold[2]).toBe(0);
  expect(700 + sold.reduce((sum, calls) => sum + calls)).toBe(quota);
  const all = [...ofKey, ...rest].flatMap((statuses) => Object.keys(statuses));
  expect([...new Set(all)].sort()).toEqual(['200', '429']);
  const { total } = await program.json<{ total: { units: number } }>(['usage']);
  expect(total.units).toBe(quota);
  for (const daemon of daemons) expect(await daemon.stop()).toBe(0);
});
