/** Everything that one seed sets going: a Stripe, a database, daemons that come and go, clients, time and faults. */

import { setImmediate as turn } from 'node:timers/promises';
import { type Emulator, openEmulator } from '../../src/emulator/server.js';
import { createClosers } from '../../src/lib/closers.js';
import { createBilling } from '../../src/stripe/billing.js';
import { type OpenBooks, openBooks } from './accounts.js';
import { type Clients, createClients } from './clients.js';
import { type Daemon, type DaemonWorld, type Fault, openDaemon } from './daemon.js';
import { createDice, type Dice } from './dice.js';
import { createStripeHost, createTime } from './machine.js';
import { createMailbox, type Mailbox } from './mailbox.js';
import { createScheduler } from './scheduler.js';
import type { Template } from './template.js';

/** How to open a world. */
export interface WorldOptions {
  seed: number;
  template: Template;
  folder: string;
  fault: Fault | undefined;
  startMs: number;
  trace(step: string): void;
  note(line: string): void;
}

/** A world. Must be closed. */
export interface World extends DaemonWorld {
  dice: Dice;
  clients: Clients;
  mailbox: Mailbox;
  /** The daemons that live, at most two. */
  daemons: Daemon[];
  books: OpenBooks;
  /** How often reads of Stripe and accesses of the disk fail. */
  rates: Record<'read' | 'disk', number>;
  start(): Promise<void>;
  /** Sets something going in a daemon, which may die over it. */
  engage(daemon: Daemon, name: string, work: () => Promise<void>): void;
  crash(daemon: Daemon): Promise<void>;
  /** Asks a daemon to end in good order. */
  stop(daemon: Daemon): void;
  /** Stripe's own background work; one round at a time. */
  tickStripe(): void;
  /** Time passes. Before more than a moment does, what is on its way arrives: no request outlives its timeout. */
  pass(ms: number): Promise<void>;
  /** Moves on whatever can move without time passing. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Requests give up after this time. */
const requestMs = 15_000;

/** Opens the files and the emulator; no daemon lives yet. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { seed, template, trace, note } = options;
  const closers = createClosers();
  const dice = createDice(seed);
  const time = createTime(options.startMs);
  const scheduler = createScheduler(dice, trace);
  const mailbox = createMailbox();
  const { emulatorPath } = template.copyTo(options.folder);
  const surroundings = { seed, time, scheduler, note };
  const emulator = closers.add(
    await openEmulator({
      databasePath: emulatorPath,
      port: 0,
      host: createStripeHost(surroundings, mailbox.post),
    }),
  );
  const settings = template.settingsIn(options.folder, emulator.url);
  if (dice.chance(0.5)) silence(emulator);
  const rates = { read: 0, disk: 0 };
  let ids = 0;
  const daemonWorld: DaemonWorld = {
    ...surroundings,
    ...{ settings, emulator, template, fault: options.fault },
    billing: createBilling(
      { ...settings.stripe, meterId: settings.catalogIds?.meter ?? null },
      { nowMs: time.wallMs, sleep: () => Promise.resolve(), soon: (task) => void setImmediate(task) },
    ),
    nextId(prefix) {
      ids += 1;
      return `${prefix}_${String(ids).padStart(6, '0')}`;
    },
    strikes: (place) => dice.chance(rates[place]),
  };
  const books = closers.add(openBooks(settings.databasePath, emulatorPath));
  return {
    ...daemonWorld,
    ...{ dice, mailbox, books, rates },
    clients: createClients(daemonWorld, dice),
    ...createLives(daemonWorld, mailbox, trace),
    close: () => closers.close(),
  };
}

/** An account that tells nothing of customers and invoices: the daemons have to count periods for themselves. */
function silence({ account }: Emulator): void {
  for (const endpoint of account.objects.all('webhook_endpoint'))
    account.objects.put('webhook_endpoint', { ...endpoint, status: 'disabled' });
}

type Lives = Pick<
  World,
  'daemons' | 'start' | 'engage' | 'crash' | 'stop' | 'tickStripe' | 'pass' | 'settle' | 'close'
>;

function createLives(
  world: DaemonWorld,
  mailbox: Mailbox,
  trace: (step: string) => void,
): Omit<Lives, 'close'> {
  const { scheduler, time, emulator, note } = world;
  const daemons: Daemon[] = [];
  let started = 0;
  let stripeTicks = false;

  function engage(daemon: Daemon, name: string, work: () => Promise<void>): void {
    daemon.busy.set(name, (daemon.busy.get(name) ?? 0) + 1);
    const done = () => void daemon.busy.set(name, (daemon.busy.get(name) ?? 0) - 1);
    work().then(done, (error: unknown) => {
      done();
      note(`${daemon.name} fails at ${name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  async function end(daemon: Daemon): Promise<void> {
    daemons.splice(daemons.indexOf(daemon), 1);
    await scheduler.end(daemon);
    mailbox.lose(daemon);
    await daemon.letGo();
  }

  async function leave(daemon: Daemon): Promise<void> {
    while ([...daemon.busy].some(([name, count]) => name !== 'stop' && count > 0))
      await daemon.host.clock.sleep(1);
    await daemon.courier.flush(new AbortController().signal);
    await daemon.ledger.drain();
    trace(`${daemon.name} has stopped`);
    await end(daemon);
  }

  async function settle(): Promise<void> {
    do {
      await scheduler.settle();
      await turn();
    } while (scheduler.pending());
  }

  return {
    daemons,
    engage,
    settle,
    async start() {
      started += 1;
      trace(`daemon ${started} starts`);
      daemons.push(await openDaemon(world, started));
    },
    async crash(daemon) {
      trace(`${daemon.name} dies`);
      await end(daemon);
    },
    stop(daemon) {
      trace(`${daemon.name} is asked to stop`);
      daemon.stopping.abort();
      engage(daemon, 'stop', () => leave(daemon));
    },
    tickStripe() {
      if (stripeTicks) return;
      stripeTicks = true;
      const done = (): void => {
        stripeTicks = false;
      };
      emulator.tick().then(done, done);
    },
    async pass(ms) {
      if (ms >= requestMs) await scheduler.settleRequests();
      time.pass(ms);
      await turn();
    },
  };
}
