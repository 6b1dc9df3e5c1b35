/** The composition root: the one file that names the adapters. Each is loaded only when it is opened. */

import type { Settings } from './config/settings.js';
import type { Billing } from './domain/billing.js';
import { MeterctlError } from './domain/error.js';
import type { Store } from './domain/store.js';
import type { FaultSettings } from './emulator/faults.js';
import type { Emulator } from './emulator/server.js';
import { type Closable, createClosers } from './lib/closers.js';
import type { Host } from './lib/host.js';

/** Opens the database and makes sure that it belongs to the mode. Throws `conflict` when it belongs to another. */
export async function openStore(settings: Settings, host: Host): Promise<Store> {
  const { openStore } = await import('./sqlite/store.js');
  const store = await openStore({ path: settings.databasePath, host });
  const mode = await store.bindMode(settings.mode);
  if (mode === settings.mode) return store;
  await store.close();
  throw new MeterctlError(
    'conflict',
    `The database ${settings.databasePath} belongs to ${mode} mode, not to ${settings.mode}.`,
    { hint: 'Give each mode a database of its own with --database or METERCTL_DATABASE.' },
  );
}

/** Opens the embedded Stripe on its own. Port 0 takes any. */
export async function openEmulator(
  settings: Settings,
  host: Host,
  options: { port: number },
): Promise<Emulator> {
  const { openEmulator } = await import('./emulator/server.js');
  return openEmulator({ databasePath: settings.emulatorDatabasePath, port: options.port, host });
}

export type { Faults } from './emulator/faults.js';

/** Opens the faults of the embedded Stripe, whichever process runs it. */
export async function openFaults(settings: Settings): Promise<FaultSettings & Closable> {
  const { openFaults } = await import('./emulator/open-faults.js');
  return openFaults(settings.emulatorDatabasePath);
}

/** Opens Stripe: in emulator mode the embedded one, which ends with `close`. */
export async function openBilling(settings: Settings, machine: Host): Promise<Billing & Closable> {
  const closers = createClosers();
  const emulator = usesEmbeddedStripe(settings)
    ? closers.add(await openEmulator(settings, machine, { port: 0 }))
    : undefined;
  const host = closers.add(await openTimedHost(settings, machine));
  return { ...(await createBilling(settings, host, emulator)), close: () => closers.close() };
}

/** A machine whose clock can be told to look at the time again. */
export type TimedHost = Host & Closable & { refresh(): void };

/**
 * The machine with the embedded Stripe's time, which `emulator advance` moves: usage is stamped with the time that Stripe
 * bills by. With any other Stripe it is the machine's own time.
 */
export async function openTimedHost(settings: Settings, machine: Host): Promise<TimedHost> {
  if (!usesEmbeddedStripe(settings)) return { ...machine, refresh: () => undefined, close: () => undefined };
  const { openSharedClock } = await import('./emulator/shared-clock.js');
  const { nowMs, refresh, close } = openSharedClock(settings.emulatorDatabasePath, machine.clock);
  return { ...machine, clock: { ...machine.clock, nowMs }, refresh, close };
}

/** Whether this process has to bring its own Stripe. */
export function usesEmbeddedStripe(settings: Settings): boolean {
  return settings.mode === 'emulator' && settings.stripe.apiBase === null;
}

/** Stripe at the embedded one's address, or where the settings say. */
export async function createBilling(
  settings: Settings,
  host: Host,
  emulator: Emulator | undefined,
): Promise<Billing> {
  const { createBilling } = await import('./stripe/billing.js');
  const apiBase = emulator?.url ?? settings.stripe.apiBase;
  const meterId = settings.catalogIds?.meter ?? null;
  return createBilling({ secretKey: settings.stripe.secretKey, apiBase, meterId }, host.clock);
}
