/** The composition root: the one file that names every adapter. Each is loaded only when it is opened. */

import { verifyAccount } from './bootstrap/verify-account.js';
import type { CatalogIds, CatalogSettings, Settings } from './config/settings.js';
import { provisionCheckout } from './customers/provision.js';
import { syncNamedCustomer } from './customers/sync.js';
import { type Courier, createCourier } from './delivery/courier.js';
import { createPeriodCheck } from './delivery/period-check.js';
import type { Billing } from './domain/billing.js';
import { MeterctlError } from './domain/error.js';
import type { Store } from './domain/store.js';
import type { Emulator } from './emulator/server.js';
import { createKeyLookup } from './keys/key-lookup.js';
import { createKeyUses } from './keys/key-uses.js';
import { type Closable, type Closers, createClosers } from './lib/closers.js';
import type { Host } from './lib/host.js';
import { createLoop } from './lib/loop.js';
import { createLedgerWriter } from './metering/ledger-writer.js';
import type { EventTarget } from './webhooks/event-target.js';
import { createInbox } from './webhooks/inbox.js';

/** The daemon. `start` and `stop` tolerate being called twice, and `stop` before `start`. */
export interface App {
  /** Listens, then begins to deliver and to apply. Throws `unavailable` when the address is taken. */
  start(): Promise<{ url: string }>;
  /** Takes no more calls, finishes those in flight, sends what can be sent within the grace, and closes everything. */
  stop(): Promise<void>;
}

/** Time that the last deliveries get at the end. */
const flushGraceMs = 10_000;

/** How soon the daemon follows when another process advances the embedded Stripe's time. */
const timeIntervalMs = 200;

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

/** Opens the whole daemon. Nothing listens or runs in the background before `start`. */
export async function openApp(settings: Settings, machine: Host): Promise<App> {
  const { catalog, catalogIds } = initialised(settings);
  const closers = createClosers();
  try {
    const emulator = usesEmbeddedStripe(settings)
      ? closers.add(await openEmulator(settings, machine, { port: 0 }))
      : undefined;
    const host = closers.add(await openTimedHost(settings, machine));
    const store = closers.add(await openStore(settings, host));
    const billing = await createBilling(settings, host, emulator);
    const parts: Parts = { settings, catalog, catalogIds, host, machine, store, billing, emulator };
    return await assemble(parts, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** What `openApp` has opened. */
interface Parts {
  settings: Settings;
  catalog: CatalogSettings;
  catalogIds: CatalogIds;
  /** With Stripe's time. */
  host: TimedHost;
  /** With the machine's own time. */
  machine: Host;
  store: Store;
  billing: Billing;
  emulator: Emulator | undefined;
}

/** Puts the services and the server together. Closing runs in reverse: server, ledger, courier, inbox, keys, database. */
async function assemble(parts: Parts, closers: Closers): Promise<App> {
  const { settings, host, machine, store, billing, emulator } = parts;
  const { createApp, createHttpServer } = await import('./http/server.js');
  const { createWebhookReader } = await import('./stripe/webhook-signature.js');
  const { clock, log } = host;
  const time = closers.add(
    createLoop({ name: 'time', clock, log, intervalMs: timeIntervalMs, tick: async () => host.refresh() }),
  );
  const keys = closers.add(createKeyLookup({ store, clock, log }));
  const uses = closers.add(createKeyUses({ store, clock, log }));
  const forwardSecret = `whsec_${Buffer.from(machine.random.bytes(24)).toString('hex')}`;
  const secrets = emulator
    ? [forwardSecret, ...settings.stripe.webhookSecrets]
    : settings.stripe.webhookSecrets;
  // Signatures are as old as the machine's clock says, also when the embedded Stripe's time is ahead.
  const read = createWebhookReader(secrets, machine.clock);
  const inbox = closers.add(createInbox({ store, host, read, apply: (target) => applyEvent(parts, target) }));
  const courier = closers.add(createDaemonCourier(parts));
  const ledger = createLedgerWriter({ store, clock });
  closers.add({ close: () => ledger.drain() });
  let url = '';
  const server = closers.add(
    createHttpServer(
      createApp({
        ...{ store, billing, host, keys, uses, ledger, inbox, clock },
        courier: () => courier.state(),
        mode: settings.mode,
        meter: parts.catalog.eventName,
        priceId: parts.catalogIds.price,
        windowMs: settings.delivery.windowMs,
        pastDueGraceMs: settings.access.pastDueGraceMs,
        queryParameter: settings.auth.queryParameter,
        adminToken: settings.server.adminToken,
        baseUrl: () => settings.server.publicUrl ?? url,
      }),
    ),
  );
  return {
    async start() {
      if (url !== '') return { url };
      const { host: address, port } = settings.server;
      url = urlOf(address, await server.listen(port, address));
      emulator?.forwardTo({ url: `${url}/webhook`, secret: forwardSecret });
      for (const part of [time, keys, uses, inbox, courier]) part.start();
      return { url };
    },
    stop: () => closers.close(),
  };
}

/** The courier with the daemon's manners: it never sends to an unverified account, and sends what it can at the end. */
function createDaemonCourier({ settings, catalogIds, host, store, billing }: Parts): Courier {
  const courier = createCourier({
    store,
    billing,
    host,
    periodCheck: createPeriodCheck({ store, billing, clock: host.clock }),
    ratePerSecond: settings.delivery.ratePerSecond,
    verify: () => verifyAccount({ store, billing }, catalogIds.meter),
  });
  return {
    ...courier,
    async close() {
      await courier.close();
      await flushWithin(flushGraceMs, courier, host);
    },
  };
}

async function flushWithin(graceMs: number, courier: Courier, host: Host): Promise<void> {
  const ended = new AbortController();
  const sleeping = new AbortController();
  const grace = host.clock.sleep(graceMs, sleeping.signal).then(() => ended.abort());
  await courier
    .flush(ended.signal)
    .catch((error: unknown) => host.log.warn('the last usage stays here until the next start', { error }));
  sleeping.abort();
  await grace;
}

/** Acts on what a message from Stripe names. */
async function applyEvent({ store, billing, host }: Parts, target: EventTarget): Promise<void> {
  switch (target.kind) {
    case 'customer':
      await syncNamedCustomer({ store, billing }, target.customerId);
      return;
    case 'checkout':
      await provisionCheckout({ store, billing, clock: host.clock }, target.sessionId);
      return;
    case 'none':
  }
}

function initialised(settings: Settings): { catalog: CatalogSettings; catalogIds: CatalogIds } {
  const { catalog, catalogIds, configPath } = settings;
  if (catalog && catalogIds) return { catalog, catalogIds };
  throw new MeterctlError('invalid', `There is nothing to sell yet: ${configPath} names no product.`, {
    hint: 'Run meterctl init first.',
  });
}

/** Whether this process has to bring its own Stripe. */
function usesEmbeddedStripe(settings: Settings): boolean {
  return settings.mode === 'emulator' && settings.stripe.apiBase === null;
}

async function createBilling(
  settings: Settings,
  host: Host,
  emulator: Emulator | undefined,
): Promise<Billing> {
  const { createBilling } = await import('./stripe/billing.js');
  const apiBase = emulator?.url ?? settings.stripe.apiBase;
  const meterId = settings.catalogIds?.meter ?? null;
  return createBilling({ secretKey: settings.stripe.secretKey, apiBase, meterId }, host.clock);
}

/** The address as a browser on this machine would type it. */
function urlOf(address: string, port: number): string {
  const everywhere = address === '0.0.0.0' || address === '::';
  const host = everywhere ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
