/**
 * Kills the daemon again and again while clients pay and Stripe misbehaves, now and then Stripe itself too, and in the end
 * looks whether a single call was lost or billed twice. Real processes, real sockets, loopback only.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults } from '../../src/emulator/faults.js';
import { openFaults } from '../../src/emulator/open-faults.js';
import { openBooks } from '../simulation/accounts.js';
import { createDice, type Dice } from '../simulation/dice.js';
import { createProgram, type Program } from '../support/program.js';
import { type Comparison, compare } from './comparison.js';
import { type Buyer, type Order, startLoad } from './load.js';
import { type Listener, startListener } from './process.js';
import { openUpstream, upstreamRoutes } from './upstream.js';

/** How much of it. */
export interface TortureOptions {
  /** An empty folder. */
  folder: string;
  /** How often the daemon is killed. */
  kills: number;
  connections: number;
  /** Decides when and what; what really happens depends on the machine as well. */
  seed: number;
  /** Whether the daemon stands before another API, whose streams tell with their last event what they cost. */
  upstream: boolean;
  /** Told what goes on. */
  tell(line: string): void;
}

const buyersCount = 3;

/** Once all is well, everything has to arrive within this time: a dead courier's lease alone takes half a minute. */
const drainMs = 180_000;

const weathers: readonly Partial<Faults>[] = [
  {},
  { rateLimited: 0.2, retryAfterSec: 1 },
  { serverError: 0.2, badGateway: 0.1 },
  { resetBefore: 0.2, resetAfter: 0.3 },
  { rateLimited: 0.1, serverError: 0.1, badGateway: 0.05, resetBefore: 0.05, resetAfter: 0.1, latencyMs: 30 },
];

/** Tortures, and compares. Ends every process that it started, also when it fails. */
export async function torture({
  folder,
  kills,
  connections,
  seed,
  upstream: hasUpstream,
  tell,
}: TortureOptions): Promise<Comparison> {
  const dice = createDice(seed);
  const running = new Set<Listener>();
  const upstream = hasUpstream ? await openUpstream() : undefined;
  try {
    const stripe = await startStripe(folder, running);
    const program = createProgram(folder);
    const env = { STRIPE_SECRET_KEY: 'sk_test_torture', STRIPE_API_BASE: stripe.url };
    const buyers = await setUp(program, env);
    if (upstream) addRoutes(folder);
    const daemon = await startDaemon(folder, env, running, upstream?.url);
    const orders = upstream ? streamOrders : callOrders;
    const load = startLoad(() => daemon.url, { buyers, orders, connections });
    for (let kill = 1; kill <= kills; kill += 1) {
      if (kill % 5 === 1) setFaults(folder, dice.pick(weathers));
      if (dice.chance(0.12)) await stripe.kill(dice);
      await daemon.kill(dice);
      if (kill % 10 === 0 || kill === kills)
        tell(`${kill} of ${kills} kills, ${answered(load.tallies)} units answered`);
    }
    await load.stop();
    await drain({ folder, program, env, daemon });
    const invoices = await readInvoices(program, env, buyers);
    const books = openBooks(databaseOf(folder), emulatorOf(folder));
    const comparison = compare(load.tallies, invoices, books.read());
    books.close();
    return comparison;
  } finally {
    await Promise.all([...running].map((listener) => listener.end('SIGKILL')));
    upstream?.close();
  }
}

const callOrders: readonly Order[] = [{ path: '/api', units: 1 }];

/** Three streams to a plain call. */
const streamOrders: readonly Order[] = [
  ...callOrders,
  ...[2, 3, 7].map((units) => ({ path: `/stream?units=${units}`, units })),
];

function addRoutes(folder: string): void {
  const path = join(folder, 'meterctl.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...config, routes: upstreamRoutes }));
}

const databaseOf = (folder: string) => join(folder, '.meterctl', 'meterctl.db');
const emulatorOf = (folder: string) => join(folder, '.meterctl', 'emulator.db');

function answered(tallies: ReadonlyMap<string, { answered: number }>): number {
  return [...tallies.values()].reduce((sum, tally) => sum + tally.answered, 0);
}

function setFaults(folder: string, faults: Partial<Faults>): void {
  const open = openFaults(emulatorOf(folder));
  open.reset();
  open.set(faults);
  open.close();
}

/** Bootstraps, and sells to a few customers. */
async function setUp(program: Program, env: Record<string, string>): Promise<Buyer[]> {
  const terms = ['--product', 'Calls', '--unit', 'call', '--price', '0.05', '--currency', 'usd'];
  await program.json(['init', ...terms, '--event-name', 'calls', '--interval', 'month'], { env });
  const buyers: Buyer[] = [];
  for (let number = 1; number <= buyersCount; number += 1) {
    const email = `${number}@example.com`;
    const customer = await program.json<{ id: string }>(
      ['customers', 'create', '--email', email, '--subscribe'],
      { env },
    );
    const { key } = await program.json<{ key: string }>(['keys', 'create', '--customer', customer.id], {
      env,
    });
    buyers.push({ customerId: customer.id, key });
  }
  return buyers;
}

/** What the coming invoices count, by customer. */
async function readInvoices(program: Program, env: Record<string, string>, buyers: readonly Buyer[]) {
  const units = new Map<string, number>();
  for (const { customerId } of buyers) {
    const { lines } = await program.json<{ lines: { quantity: number }[] }>(['invoice', customerId], { env });
    units.set(
      customerId,
      lines.reduce((sum, { quantity }) => sum + quantity, 0),
    );
  }
  return units;
}

/** A server that comes back on its old port whenever it is killed. */
interface Undead {
  url: string;
  /** Kills it at a moment that the dice choose, perhaps while it starts, and starts it again. */
  kill(dice: Dice): Promise<void>;
  /** Ends it in good order and starts it again. */
  restart(): Promise<void>;
}

function startStripe(folder: string, running: Set<Listener>): Promise<Undead> {
  return startUndead(running, (port) => startListener(folder, ['emulator', 'start', '--port', port]));
}

function startDaemon(
  folder: string,
  env: Record<string, string>,
  running: Set<Listener>,
  upstream: string | undefined,
): Promise<Undead> {
  const more = upstream === undefined ? [] : ['--upstream', upstream];
  return startUndead(running, (port) => startListener(folder, ['serve', '--port', port, ...more], env));
}

async function startUndead(running: Set<Listener>, start: (port: string) => Listener): Promise<Undead> {
  async function begin(port: string): Promise<Listener> {
    const listener = start(port);
    running.add(listener);
    return listener;
  }

  async function bury(listener: Listener, signal: NodeJS.Signals): Promise<void> {
    await listener.end(signal);
    running.delete(listener);
  }

  /** Waits until it listens. A process that dies by itself is what torture looks for, too. */
  async function listening(listener: Listener): Promise<string> {
    const url = await listener.listening;
    if (url === undefined) throw new Error(`A process ended by itself:\n${listener.lastWords()}`);
    return url;
  }

  let present = await begin('0');
  const url = await listening(present);
  const { port } = new URL(url);

  async function again(): Promise<void> {
    present = await begin(port);
    await listening(present);
  }

  return {
    url,
    async kill(dice) {
      await sleep(dice.between(5, 1_000));
      await bury(present, 'SIGKILL');
      while (dice.chance(0.2)) {
        const stillborn = await begin(port);
        await sleep(dice.between(1, 400));
        await bury(stillborn, 'SIGKILL');
      }
      await again();
    },
    async restart() {
      await bury(present, 'SIGTERM');
      await again();
    },
  };
}

/** Puts everything right and waits until everything is delivered. */
async function drain(parts: {
  folder: string;
  program: Program;
  env: Record<string, string>;
  daemon: Undead;
}): Promise<void> {
  const { folder, program, env, daemon } = parts;
  setFaults(folder, {});
  await daemon.restart();
  const deadlineMs = Date.now() + drainMs;
  const books = openBooks(databaseOf(folder), emulatorOf(folder));
  try {
    for (;;) {
      // Nobody wants to wait for the pauses that trouble has made long.
      await program.json(['outbox', 'retry'], { env });
      // What a crash has left open is closed a while after, and only then to be delivered.
      if (books.openCalls() === 0 && books.areDelivered()) return;
      if (Date.now() > deadlineMs) throw new Error(`After ${drainMs / 1_000} s usage is still on its way.`);
      await sleep(1_000);
    }
  } finally {
    books.close();
  }
}
