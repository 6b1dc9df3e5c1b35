/** The daemon: the engine behind a server of its own, and how both start and end. */

import type { Settings } from './config/settings.js';
import type { Store } from './domain/store.js';
import { type Engine, openEngine } from './engine.js';
import type { Gateway } from './http/gateway/gateway.js';
import type { RouteTable } from './http/gateway/route-table.js';
import type { Host } from './lib/host.js';
import { serverUrl } from './lib/server-url.js';

/** The daemon. `start` and `stop` tolerate being called twice, and `stop` before `start`. */
export interface App {
  /** Listens, then begins to deliver and to apply. Throws `unavailable` when the address is taken. */
  start(): Promise<{ url: string }>;
  /** Takes no more calls, finishes those in flight, sends what can be sent within the grace, and closes everything. */
  stop(): Promise<void>;
}

/** Opens the whole daemon. Nothing listens or runs in the background before `start`. For `adapt` see `openEngine`. */
export async function openApp(
  settings: Settings,
  machine: Host,
  adapt?: (store: Store) => Store,
): Promise<App> {
  const engine = await openEngine(settings, machine, adapt);
  try {
    return await assemble(settings, engine);
  } catch (error) {
    await engine.closers.close();
    throw error;
  }
}

async function assemble(settings: Settings, engine: Engine): Promise<App> {
  const { createHttpServer } = await import('./http/server.js');
  let url = '';
  const baseUrl = () => settings.server.publicUrl ?? url;
  const [routeDeps, way] = [await engine.routeDeps(baseUrl), await openGateway(engine, baseUrl)];
  const server = engine.closers.add(createHttpServer({ ...routeDeps, ...way }));
  return {
    async start() {
      if (url !== '') return { url };
      const { host: address, port } = settings.server;
      url = serverUrl(address, await server.listen(port, address));
      engine.forwardTo(url);
      engine.services.start();
      return { url };
    },
    stop: () => engine.closers.close(),
  };
}

/** The way to the API that is sold, and what is sold of it. Without an upstream `/api` answers by itself. */
async function openGateway(
  { parts: { settings, catalog, host, machine }, services: { ledger, openCalls }, metrics, closers }: Engine,
  baseUrl: () => string,
): Promise<{ gateway: Gateway | undefined; routes: RouteTable }> {
  const { createRouteTable, isOwn } = await import('./http/gateway/route-table.js');
  const { upstream } = settings.server;
  const { routes, replicas, requestBytesMax, ...upstreamSettings } = settings.gateway;
  const { clock, log } = machine;
  if (upstream === null) {
    if (routes.length > 0)
      log.warn('the routes of meterctl.json are for an upstream; there is none, and /api costs 1 unit');
    return { gateway: undefined, routes: createRouteTable([]) };
  }
  const paths = routes.map(({ path }) => path).filter(isOwn);
  if (paths.length > 0) log.warn('routes never apply where meterctl has its own pages', { paths });
  const { createGateway } = await import('./http/gateway/gateway.js');
  const { openUpstreams } = await import('./http/gateway/upstreams.js');
  const urls = [upstream, ...replicas];
  const upstreams = closers.add(openUpstreams({ urls, ...upstreamSettings }, { clock, log }));
  upstreams.start();
  const gateway = createGateway({
    ...{ upstreams, ledger, openCalls, log, requestBytesMax, baseUrl },
    clock: host.clock,
    meter: catalog.eventName,
    windowMs: settings.delivery.windowMs,
    idleTimeoutMs: settings.gateway.idleTimeoutMs,
    countBrokenOff: metrics.countBrokenOff,
    countMisreport: metrics.countMisreport,
  });
  return { gateway, routes: createRouteTable(routes) };
}
