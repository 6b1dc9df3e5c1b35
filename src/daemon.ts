/** The daemon: what it opens, its server, and how it starts and ends. */

import { createBilling, openEmulator, openStore, openTimedHost, usesEmbeddedStripe } from './app.js';
import type { CatalogIds, CatalogSettings, Settings } from './config/settings.js';
import { MeterctlError } from './domain/error.js';
import type { Gateway } from './http/gateway/gateway.js';
import type { RouteTable } from './http/gateway/route-table.js';
import type { Metrics } from './http/metrics.js';
import { secretPrefix } from './keys/secret.js';
import { type Closers, createClosers } from './lib/closers.js';
import type { Host } from './lib/host.js';
import { createServices, type Parts, type Services } from './services.js';

/** The daemon. `start` and `stop` tolerate being called twice, and `stop` before `start`. */
export interface App {
  /** Listens, then begins to deliver and to apply. Throws `unavailable` when the address is taken. */
  start(): Promise<{ url: string }>;
  /** Takes no more calls, finishes those in flight, sends what can be sent within the grace, and closes everything. */
  stop(): Promise<void>;
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

/** Puts the services and the server together. Closing runs in reverse: server, ledger, courier, inbox, keys, database. */
async function assemble(parts: Parts, closers: Closers): Promise<App> {
  const { settings, host, machine, store, billing, emulator } = parts;
  const { createHttpServer } = await import('./http/server.js');
  const { createMetrics } = await import('./http/metrics.js');
  const { createSessions } = await import('./http/session.js');
  const forwardSecret = `whsec_${Buffer.from(machine.random.bytes(24)).toString('hex')}`;
  const metrics = createMetrics(machine.clock);
  const measured = {
    ...parts,
    store: metrics.measureLedger(store),
    billing: metrics.measureSending(billing),
  };
  const services = await createServices(measured, forwardSecret, closers);
  const { keys, uses, ledger, admission, repeats, inbox, courier } = services;
  let url = '';
  const server = closers.add(
    createHttpServer({
      ...{ store, billing, host, keys, uses, ledger, admission, repeats, inbox, metrics },
      ...(await openGateway(measured, services, metrics, closers)),
      clock: host.clock,
      courier: () => courier.state(),
      secretPrefix: secretPrefix(settings.auth.keyPrefix, settings.mode),
      trustProxy: settings.server.trustProxy,
      offer: parts.catalog,
      checkoutSources: checkoutSources(parts),
      // A session lasts half an hour of the people's time, not of the embedded Stripe's.
      sessions: createSessions(machine),
      meter: parts.catalog.eventName,
      priceId: parts.catalogIds.price,
      windowMs: settings.delivery.windowMs,
      pastDueGraceMs: settings.access.pastDueGraceMs,
      queryParameter: settings.auth.queryParameter,
      adminToken: settings.server.adminToken,
      baseUrl: () => settings.server.publicUrl ?? url,
    }),
  );
  return {
    async start() {
      if (url !== '') return { url };
      const { host: address, port } = settings.server;
      url = urlOf(address, await server.listen(port, address));
      emulator?.forwardTo({ url: `${url}/webhook`, secret: forwardSecret });
      services.start();
      return { url };
    },
    stop: () => closers.close(),
  };
}

/** The way to the API that is sold, and what is sold of it. Without an upstream `/api` answers by itself. */
async function openGateway(
  { settings, catalog, host, machine }: Parts,
  { ledger, openCalls }: Services,
  metrics: Metrics,
  closers: Closers,
): Promise<{ gateway: Gateway | undefined; routes: RouteTable }> {
  const { createRouteTable } = await import('./http/gateway/route-table.js');
  const { upstream } = settings.server;
  if (upstream === null) return { gateway: undefined, routes: createRouteTable([]) };
  const { createGateway } = await import('./http/gateway/gateway.js');
  const { openUpstreams } = await import('./http/gateway/upstreams.js');
  const { routes, replicas, requestBytesMax, ...upstreamSettings } = settings.gateway;
  const { clock, log } = machine;
  const urls = [upstream, ...replicas];
  const upstreams = closers.add(openUpstreams({ urls, ...upstreamSettings }, { clock, log }));
  upstreams.start();
  const gateway = createGateway({
    ...{ upstreams, ledger, openCalls, log, requestBytesMax },
    clock: host.clock,
    meter: catalog.eventName,
    windowMs: settings.delivery.windowMs,
    countMisreport: metrics.countMisreport,
  });
  return { gateway, routes: createRouteTable(routes) };
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
