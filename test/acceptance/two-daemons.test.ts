/** Two processes that sell to one customer on one database: together they sell what its limits leave, to the unit. */

import { expect, it } from 'vitest';
import { flood } from '../support/flood.js';
import { openSubscribedProgram } from '../support/subscribed-program.js';

const quota = 2_000;

it('sell exactly what is left, whatever comes at both at once', { timeout: 120_000 }, async () => {
  const { program, customerId: id, key: one } = await openSubscribedProgram();
  const createKey = ['keys', 'create', '--customer', id];
  const two = await program.json<{ key: string }>([...createKey, '--quota', '700/period']);
  await program.json(['limits', 'set', id, '--quota', `${quota}/month`, '--spend-cap', '5000.00']);
  const daemons = [await program.serve(), await program.serve()];
  const [first, second] = daemons.map(({ url }) => url) as [string, string];
  const ofKey = await Promise.all([
    flood(first, two.key, { calls: 900, connections: 50 }),
    flood(second, two.key, { calls: 900, connections: 50 }),
  ]);
  expect(ofKey.map((statuses) => statuses[200] ?? 0).reduce((sum, calls) => sum + calls)).toBe(700);
  const rest = await Promise.all([
    flood(first, one, { calls: 2_000, connections: 50 }),
    flood(second, one, { calls: 2_000, connections: 50 }),
    flood(second, two.key, { calls: 200, connections: 50 }),
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
