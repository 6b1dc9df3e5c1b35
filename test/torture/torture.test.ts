/**
 * The promise under torture, with real processes: the daemon is killed again and again under load, Stripe loses answers and is
 * killed too, and in the end every answered call is in the ledger and Stripe counts what the ledger holds. `npm run torture`
 * kills a few hundred times; a short round is part of the tests.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { createTestFolder } from '../support/folder.js';
import { createProgram, type Daemon, type Program } from '../support/program.js';

const kills = Number(process.env.KILLS ?? 4);
const connections = 16;
const bin = fileURLToPath(new URL('../../bin/meterctl.js', import.meta.url));

interface Buyer {
  customer: string;
  key: string;
  answered: number;
}

/** The embedded Stripe as a process of its own, so that it can be killed on its own. */
async function startStripe(folder: string, port: number) {
  const child = spawn(process.execPath, [bin, 'emulator', 'start', '--port', String(port), '--json'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return {
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function addBuyer(program: Program, name: string): Promise<Buyer> {
  const { id } = await program.json<{ id: string }>([
    'customers',
    'create',
    '--email',
    `${name}@example.com`,
    '--subscribe',
  ]);
  const { key } = await program.json<{ key: string }>(['keys', 'create', '--customer', id]);
  return { customer: id, key, answered: 0 };
}

/** Calls without end; what is answered 200 counts, what breaks off does not. */
async function load(buyers: Buyer[], target: { url: string | undefined; over: boolean }): Promise<void> {
  for (let turn = 0; !target.over; turn += 1) {
    const buyer = buyers[turn % buyers.length]!;
    try {
      if (target.url === undefined) throw new Error('The daemon is down.');
      const answer = await fetch(`${target.url}/api`, { headers: { 'x-api-key': buyer.key } });
      await answer.arrayBuffer();
      if (answer.status === 200) buyer.answered += 1;
    } catch {
      await sleep(10);
    }
  }
}

/** Seconds that this many rounds may take, at most, with room for a busy machine. */
const timeoutMs = 180_000 + kills * 10_000;

it(`${kills} kills lose nothing and double nothing`, { timeout: timeoutMs }, async () => {
  const program = createProgram(createTestFolder());
  await program.json([
    'init',
    '--product',
    'Fire API',
    '--unit',
    'call',
    '--price',
    '1.00',
    '--event-name',
    'fire',
  ]);
  const buyers = [
    await addBuyer(program, 'ada'),
    await addBuyer(program, 'bob'),
    await addBuyer(program, 'eve'),
  ];
  const port = 20_000 + (process.pid % 20_000);
  const env = { STRIPE_API_BASE: `http://127.0.0.1:${port}` };
  let stripe = await startStripe(program.folder, port);
  await program.json([
    'emulator',
    'fault',
    '--429',
    '5%',
    '--500',
    '3%',
    '--drop-answers',
    '5%',
    '--drop-requests',
    '3%',
  ]);

  const target: { url: string | undefined; over: boolean } = { url: undefined, over: false };
  const clients = Array.from({ length: connections }, () => load(buyers, target));
  let daemon: Daemon | undefined;
  try {
    for (let round = 1; round <= kills; round += 1) {
      daemon = await program.serve([], { env });
      target.url = daemon.url;
      await sleep(100 + Math.random() * 900);
      target.url = undefined;
      await daemon.stop('SIGKILL');
      if (round % 4 !== 0) continue;
      await stripe.kill();
      stripe = await startStripe(program.folder, port);
    }
  } finally {
    target.over = true;
    await Promise.all(clients);
  }

  await program.json(['emulator', 'fault', '--off']);
  daemon = await program.serve([], { env });
  const outbox = await eventually(async () => {
    const status = await program.json<Record<string, number>>(['outbox', 'status']);
    expect(status).toMatchObject({ pending: 0, claimed: 0 });
    return status;
  }, 150_000);
  const figures = await Promise.all(
    buyers.map(async ({ customer, answered }) => {
      const usage = await program.json<{ total: { units: number } }>(['usage', '--customer', customer]);
      const { lines } = await program.json<{ lines: { quantity: number }[] }>(['invoice', customer], { env });
      const stripe = lines.reduce((sum, { quantity }) => sum + quantity, 0);
      return { customer, answered, ledger: usage.total.units, stripe };
    }),
  );
  await daemon.stop();
  await stripe.kill();

  const lost = sum(
    figures.map(
      ({ answered, ledger, stripe }) => Math.max(0, answered - ledger) + Math.max(0, ledger - stripe),
    ),
  );
  const doubled = sum(figures.map(({ ledger, stripe }) => Math.max(0, stripe - ledger)));
  console.table(figures);
  console.log(`${kills} kills, ${outbox.delivered} deliveries: lost = ${lost}, doubled = ${doubled}`);
  expect(outbox).toMatchObject({ refused: 0, uncertain: 0 });
  expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
  // A call that was cut off by a kill may be in the ledger without its answer: at most one a connection and kill.
  for (const { answered, ledger } of figures)
    expect(ledger - answered).toBeLessThanOrEqual(connections * kills);
  expect(sum(figures.map(({ answered }) => answered))).toBeGreaterThan(kills);
});

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
