/** Opens meterctl inside of a program: the engine, and the ways in which the program's own server uses it. */

import { usesEmbeddedStripe } from '../app.js';
import type { Settings } from '../config/settings.js';
import { MeterctlError } from '../domain/error.js';
import { openEngine } from '../engine.js';
import type { Host } from '../lib/host.js';
import { serverUrl } from '../lib/server-url.js';
import type { FetchHandler, FetchPrice, Meterctl } from './contract.js';
import { express } from './express.js';
import { sellFetch } from './fetch.js';
import { pages } from './pages.js';
import { createPricing } from './pricing.js';
import { createSales } from './sales.js';

/** How often Stripe's list of events is read where the embedded Stripe may have nobody to send its messages to. */
const pollMsMax = 60_000;

/** Opens it; usage is delivered from here on. Throws what `openEngine` throws. */
export async function openMeterctl(settings: Settings, machine: Host): Promise<Meterctl> {
  const engine = await openEngine(withPolling(settings), machine);
  const { server, gateway } = settings;
  // Without pages here, `meterctl serve` beside this program has them.
  const routeDeps = await engine.routeDeps(() => server.publicUrl ?? serverUrl(server.host, server.port));
  const { metrics, services } = engine;
  const sales = createSales({
    ...routeDeps,
    openCalls: services.openCalls,
    clock: machine.clock,
    log: machine.log,
    countMisreport: metrics.countMisreport,
    idleMs: gateway.idleTimeoutMs,
  });
  const deps = { sales, host: machine, metrics };
  services.start();
  let closing: Promise<void> | undefined;
  return {
    express(price, ...others: unknown[]) {
      if (others.length > 0) {
        throw new MeterctlError('invalid', 'express() makes middleware, and is none itself.', {
          hint: 'Write app.use(shop.express()), not app.use(shop.express).',
        });
      }
      return express(deps, createPricing(price, gateway.routes));
    },
    fetch<R extends Request, Rest extends unknown[]>(
      ...args: [FetchHandler<R, Rest>] | [FetchPrice<R, Rest>, FetchHandler<R, Rest>]
    ) {
      const { handler, address, price } = readFetchArguments(args);
      return sellFetch(deps, createPricing(price, gateway.routes), address, handler);
    },
    pages() {
      const url = server.publicUrl;
      if (url === null) {
        throw new MeterctlError(
          'invalid',
          'Nobody has said how buyers reach this app, and Stripe must know.',
          {
            hint: "Say meterctl({ url: 'http://127.0.0.1:3000' }), or server.publicUrl in meterctl.json.",
          },
        );
      }
      engine.forwardTo(url);
      return pages(routeDeps);
    },
    close() {
      closing ??= sales.close().then(() => engine.closers.close());
      return closing;
    },
  };
}

function withPolling(settings: Settings): Settings {
  if (!usesEmbeddedStripe(settings)) return settings;
  const { webhooks } = settings;
  return { ...settings, webhooks: { ...webhooks, pollMs: Math.min(webhooks.pollMs, pollMsMax) } };
}

function readFetchArguments<R extends Request, Rest extends unknown[]>(
  args: [FetchHandler<R, Rest>] | [FetchPrice<R, Rest>, FetchHandler<R, Rest>],
) {
  const [said, handler] = args.length === 1 ? [undefined, args[0]] : args;
  if (typeof handler !== 'function') {
    throw new MeterctlError('invalid', 'fetch() takes a handler, or a price and a handler.');
  }
  if (said === undefined) return { handler, address: undefined, price: undefined };
  const { address, ...price } = said;
  // A price that says nothing but where calls come from leaves the rest to meterctl.json.
  return { handler, address, price: Object.keys(price).length === 0 ? undefined : price };
}
