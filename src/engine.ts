/** The engine: all that meterctl does, without a server before it. The daemon and the library each open one. */

import { createBilling, openEmulator, openStore, openTimedHost, usesEmbeddedStripe } from './app.js';
import type { CatalogIds, CatalogSettings, Settings } from './config/settings.js';
import { MeterctlError } from './domain/error.js';
import { exampleCall } from './domain/route.js';
import type { Store } from './domain/store.js';
import type { Metrics } from './http/metrics.js';
import type { PagesDeps } from './http/pages-app.js';
import type { SaleDeps } from './http/sale.js';
import { secretPrefix } from './keys/secret.js';
import { type Closers, createClosers } from './lib/closers.js';
import type { Host } from './lib/host.js';
import { createServices, type Parts, type Services } from './services.js';

/** What has been opened. Nothing runs in the background before `services.start`. */
export interface Engine {
  parts: Parts;
  services: Services;
  metrics: Metrics;
  /** Has the embedded Stripe, if there is one, send its messages to `${url}/webhook`. */
  forwardTo(url: string): void;
  /** What its routes need, wherever they are reached. `baseUrl` is how buyers reach them. */
  routeDeps(baseUrl: () => string): Promise<RouteDeps>;
  /** What is added is closed first: then ledger, courier, inbox, keys, database. */
  closers: Closers;
}

/** What every route needs. */
export type RouteDeps = PagesDeps & Omit<SaleDeps, 'gateway' | 'routes'>;

/**
 * Opens the engine. `adapt` puts something between the engine and its database; the bench does, to see what the ledger
 * costs. Throws `invalid` where there is nothing to sell, and what opening the database throws.
 */
export async function openEngine(
  settings: Settings,
  machine: Host,
  adapt: (store: Store) => Store = (store) => store,
): Promise<Engine> {
  const { catalog, catalogIds } = initialised(settings);
  const closers = createClosers();
  try {
    const emulator = usesEmbeddedStripe(settings)
      ? closers.add(await openEmulator(settings, machine, { port: 0 }))
      : undefined;
    const host = closers.add(await openTimedHost(settings, machine));
    const store = adapt(closers.add(await openStore(settings, host)));
    const billing = await createBilling(settings, host, emulator);
    const parts: Parts = { settings, catalog, catalogIds, host, machine, store, billing, emulator };
    return await assemble(parts, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** Puts the services together, with everything that is worth counting counted. */
async function assemble(bare: Parts, closers: Closers): Promise<Engine> {
  const { machine, emulator } = bare;
  const { createMetrics } = await import('./http/metrics.js');
  const forwardSecret = `whsec_${Buffer.from(machine.random.bytes(24)).toString('hex')}`;
  const metrics = createMetrics(machine.clock);
  const parts = {
    ...bare,
    store: metrics.measureLedger(bare.store),
    billing: metrics.measureSending(bare.billing),
  };
  const services = await createServices(parts, forwardSecret, closers);
  return {
    ...{ parts, services, metrics, closers },
    forwardTo: (url) => emulator?.forwardTo({ url: `${url}/webhook`, secret: forwardSecret }),
    routeDeps: (baseUrl) => routeDeps({ parts, services, metrics }, baseUrl),
  };
}

async function routeDeps(
  { parts, services, metrics }: Pick<Engine, 'parts' | 'services' | 'metrics'>,
  baseUrl: () => string,
): Promise<RouteDeps> {
  const { createSessions } = await import('./http/session.js');
  const { settings, catalog, catalogIds, host, machine, store, billing } = parts;
  const { keys, uses, ledger, admission, repeats, inbox, courier } = services;
  return {
    ...{ store, billing, host, keys, uses, ledger, admission, repeats, inbox, metrics, baseUrl },
    clock: host.clock,
    courier: () => courier.state(),
    secretPrefix: secretPrefix(settings.auth.keyPrefix, settings.mode),
    trustProxy: settings.server.trustProxy,
    offer: {
      ...catalog,
      firstCall: exampleCall(settings.server.upstream === null ? [] : settings.gateway.routes),
    },
    checkoutSources: checkoutSources(parts),
    // A session lasts half an hour of the people's time, not of the embedded Stripe's.
    sessions: createSessions(machine),
    meter: catalog.eventName,
    priceId: catalogIds.price,
    windowMs: settings.delivery.windowMs,
    pastDueGraceMs: settings.access.pastDueGraceMs,
    queryParameter: settings.auth.queryParameter,
    adminToken: settings.server.adminToken,
  };
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
