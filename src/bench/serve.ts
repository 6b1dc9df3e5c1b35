/** Opens one of the bench's servers inside its process; what a server needs is loaded with it alone. */

import type { Settings } from '../config/settings.js';
import { MeterctlError } from '../domain/error.js';
import type { Host } from '../lib/host.js';
import type { BenchServer } from './servers/server.js';
import type { ServerName } from './variants.js';

/** What a server may ask for. */
export interface ServeTools {
  host: Host;
  /** What the server before it needs to know: an address, or a delay in milliseconds. */
  value: string | undefined;
  /** The settings of the folder, with this upstream. */
  settings(upstream: string | undefined): Settings;
}

const servers: Record<ServerName, (tools: ServeTools) => Promise<BenchServer>> = {
  'bare-express': async () => (await import('./servers/bare-express.js')).openBareExpress(),
  'raw-http': async () => (await import('./servers/raw-http.js')).openRawHttp(),
  async metered({ host, value, settings }) {
    return (await import('./servers/metered.js')).openMetered(settings(value), host);
  },
  async unrecorded({ host, settings }) {
    const { openMetered, withoutLedger } = await import('./servers/metered.js');
    return openMetered(settings(undefined), host, withoutLedger);
  },
  async 'embedded-stripe'({ host, settings }) {
    return (await import('../app.js')).openEmulator(settings(undefined), host, { port: 0 });
  },
  async 'stripe-inside'({ value = '' }) {
    return (await import('./servers/stripe-inside.js')).openStripeInside(value);
  },
  async 'stub-stripe'({ host, value }) {
    return (await import('./servers/stub-stripe.js')).openStubStripe(Number(value), host.clock);
  },
  async 'proxy-middleware'({ value = '' }) {
    return (await import('./servers/proxy-middleware.js')).openProxyMiddleware(value);
  },
};

/** Opens it by its name. Throws `invalid` when there is none of that name. */
export function openBenchServer(name: string, tools: ServeTools): Promise<BenchServer> {
  if (isServer(name)) return servers[name](tools);
  throw new MeterctlError('invalid', `The bench has no server "${name}".`);
}

function isServer(name: string): name is ServerName {
  return Object.hasOwn(servers, name);
}
