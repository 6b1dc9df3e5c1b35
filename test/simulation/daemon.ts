/** One incarnation of the daemon: the real services on the real engine, with every awaited call parked in the scheduler. */

import type { Settings } from '../../src/config/settings.js';
import type { Courier } from '../../src/delivery/courier.js';
import type { Billing } from '../../src/domain/billing.js';
import { MeterctlError } from '../../src/domain/error.js';
import type { Store } from '../../src/domain/store.js';
import type { NewUsage } from '../../src/domain/usage.js';
import type { Emulator } from '../../src/emulator/server.js';
import { createClosers } from '../../src/lib/closers.js';
import type { Host } from '../../src/lib/host.js';
import type { LedgerWriter } from '../../src/metering/ledger-writer.js';
import { createServices } from '../../src/services.js';
import { openStore } from '../../src/sqlite/store.js';
import type { Inbox } from '../../src/webhooks/inbox.js';
import { createDaemonHost, type Surroundings } from './machine.js';
import type { Life } from './scheduler.js';
import type { Template } from './template.js';

/** What a daemon sees of the world. */
export interface DaemonWorld extends Surroundings {
  settings: Settings;
  template: Template;
  emulator: Emulator;
  /** The real SDK on the emulator. */
  billing: Billing;
  nextId: Host['ids']['next'];
  /** Whether this read of Stripe fails, or this access of the disk. */
  strikes(place: 'read' | 'disk'): boolean;
  fault: Fault | undefined;
}

/** A way in which a daemon is made wrong on purpose, to see whether the checker notices. */
export interface Fault {
  /** What the courier gets instead of the store. */
  store?(store: Store): Store;
  /** What the courier gets instead of Stripe. */
  billing?(billing: Billing): Billing;
  /** What is recorded instead of the usage. */
  usage?(usage: NewUsage): NewUsage;
  /** What calls get instead of the ledger. */
  ledger?(ledger: LedgerWriter): LedgerWriter;
}

/** A daemon, dead or alive. */
export interface Daemon extends Life {
  host: Host;
  store: Store;
  billing: Billing;
  ledger: LedgerWriter;
  courier: Courier;
  inbox: Inbox;
  /** What it is doing now, by name. */
  busy: Map<string, number>;
  stopping: AbortController;
  /** Takes the files from it, as the end of a process does. */
  letGo(): Promise<void>;
}

/** Opens the files and puts the services together, as the program does; nothing runs before it is asked to. */
export async function openDaemon(world: DaemonWorld, number: number): Promise<Daemon> {
  const life: Life = { name: `daemon ${number}`, ended: false };
  const host = createDaemonHost(world, life, number, world.nextId);
  // Inside of one call the engine lets others run, which is for the real event loop to do.
  const real = await openStore({
    path: world.settings.databasePath,
    host: { ...host, clock: { ...host.clock, soon: (task) => void setImmediate(task) } },
  });
  const { fault = {} } = world;
  const store = wrapped(
    fault.store,
    parked(real, (name, run) =>
      world.scheduler.park(life, `store.${name}`, 'step', async () => {
        if (!world.strikes('disk')) return run();
        throw new MeterctlError('unavailable', 'The disk is full.');
      }),
    ),
  );
  const billing = wrapped(fault.billing, parkedBilling(world, life));
  const services = await createServices(
    {
      settings: world.settings,
      catalog: ready(world.settings.catalog),
      catalogIds: ready(world.settings.catalogIds),
      host: { ...host, refresh: () => undefined, close: () => undefined },
      machine: host,
      ...{ store, billing, emulator: undefined },
    },
    '',
    createClosers(),
  );
  return Object.assign(life, {
    ...{ host, store, billing },
    ledger: wrapped(fault.ledger, services.ledger),
    courier: services.courier,
    inbox: services.inbox,
    busy: new Map<string, number>(),
    stopping: new AbortController(),
    letGo: () => real.close(),
  });
}

function ready<T>(setting: T | null): T {
  if (setting === null) throw new TypeError('The template sells nothing.');
  return setting;
}

function wrapped<T>(wrap: ((part: T) => T) | undefined, part: T): T {
  return wrap ? wrap(part) : part;
}

/** Meter events meet the emulator's own faults; other calls fail as a whole, because the SDK would wait for real before it tries again. */
function parkedBilling({ scheduler, billing, emulator, strikes }: DaemonWorld, life: Life): Billing {
  const calls = parked(billing, (name, run) =>
    scheduler.park(life, `billing.${name}`, 'step', async () => {
      if (strikes('read')) throw new MeterctlError('unavailable', `Stripe could not be reached: ${name}.`);
      const faults = emulator.account.faults.get();
      emulator.account.faults.reset();
      try {
        return await run();
      } finally {
        emulator.account.faults.set(faults);
      }
    }),
  );
  const send = <T>(name: string, run: () => Promise<T>) => scheduler.park(life, name, 'send', run);
  return {
    ...calls,
    sendMeterEvent: (event) =>
      send(`sends ${event.idempotencyKey} for ${event.units}`, () => billing.sendMeterEvent(event)),
    cancelMeterEvent: (event) =>
      send(`cancels ${event.identifier} (${event.idempotencyKey})`, () => billing.cancelMeterEvent(event)),
  };
}

/** The same object, each of whose methods goes through `call`. */
function parked<T extends object>(
  target: T,
  call: <R>(name: string, run: () => Promise<R>) => Promise<R>,
): T {
  const methods = Object.entries(target).map(([name, method]: [string, unknown]) => [
    name,
    typeof method === 'function'
      ? (...given: unknown[]) => call(name, async () => Reflect.apply(method, target, given))
      : method,
  ]);
  // Every method keeps its own type: it is called with what it was given, and its result is handed on.
  return Object.fromEntries(methods) as T;
}
