/** The daemon: services and server put together, started in order and closed in reverse. */

import {
  createBilling,
  openEmulator,
  openStore,
  openTimedHost,
  type TimedHost,
  usesEmbeddedStripe,
} from './app.js';
import { verifyAccount } from './bootstrap/verify-account.js';
import type { CatalogIds, CatalogSettings, Settings } from './config/settings.js';
import { provisionCheckout } from './customers/provision.js';
import { syncNamedCustomer } from './customers/sync.js';
import { type Courier, createCourier } from './delivery/courier.js';
import { createPeriodCheck } from './delivery/period-check.js';
import { rejectDeliveries } from './delivery/reject-deliveries.js';
import type { Billing } from './domain/billing.js';
import { MeterctlError } from './domain/error.js';
import type { Store } from './domain/store.js';
import type { Emulator } from './emulator/server.js';
import { createKeyLookup } from './keys/key-lookup.js';
import { createKeyUses } from './keys/key-uses.js';
import { type Closers, createClosers } from './lib/closers.js';
import type { Host } from './lib/host.js';
import { createLoop } from './lib/loop.js';
import { createLedgerWriter } from './metering/ledger-writer.js';
import { catchUp } from './webhooks/catch-up.js';
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

/** How often Stripe's own list of events is read, for what no webhook brought. */
const catchUpIntervalMs = 60 * 60_000;

/** How soon it is tried again when Stripe could not be asked. */
const catchUpRetryMs = 60_000;

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
  let caughtUpAtMs = Number.NEGATIVE_INFINITY;
  const events = closers.add(
    createLoop({
      name: 'catch-up with Stripe',
      ...{ clock, log },
      intervalMs: catchUpRetryMs,
      async tick(signal) {
        if (Math.abs(clock.nowMs() - caughtUpAtMs) < catchUpIntervalMs) return;
        const { missed } = await catchUp({ store, billing, host });
        caughtUpAtMs = clock.nowMs();
        if (missed > 0) await inbox.tick(signal);
      },
    }),
  );
  const ledger = createLedgerWriter({ store, clock, log });
  closers.add({ close: () => ledger.drain() });
  let url = '';
  const server = closers.add(
    createHttpServer(
      createApp({
        ...{ store, billing, host, keys, uses, ledger, inbox, clock },
        courier: () => courier.state(),
        mode: settings.mode,
        offer: parts.catalog,
        checkoutSources: checkoutSources(parts),
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
      for (const part of [time, keys, uses, inbox, courier, events]) part.start();
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
      // A period may just have ended: what was used in it must reach Stripe while its invoice is a draft.
      await store.freezeDeliveries(host.clock.nowMs(), { customerId: target.customerId });
      return;
    case 'checkout':
      await provisionCheckout({ store, billing, clock: host.clock }, target.sessionId);
      return;
    case 'meter_rejections':
      await rejectDeliveries({ store, billing, host }, target.eventId);
      return;
    case 'none':
  }
}

/** Where browsers must be let to from `POST /checkout`. A merchant may show Stripe's page under a domain of his own. */
function checkoutSources({ settings, emulator }: Parts): string[] {
  const base = emulator?.url ?? settings.stripe.apiBase;
  return base === null ? ['https:'] : [new URL(base).origin];
}

function initialised(settings: Settings): { catalog: CatalogSettings; catalogIds: CatalogIds } {
  const { catalog, catalogIds, configPath } = settings;
  if (catalog && catalogIds) return { catalog, catalogIds };
  throw new MeterctlError('invalid', `There is nothing to sell yet: ${configPath} names no product.`, {
    hint: 'Run meterctl init first.',
  });
}

/** The address as a browser on this machine would type it. */
function urlOf(address: string, port: number): string {
  const everywhere = address === '0.0.0.0' || address === '::';
  const host = everywhere ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
