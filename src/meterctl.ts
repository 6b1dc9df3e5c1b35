/** meterctl as a library: `import { meterctl } from 'meterctl'`. */

import { readLibraryOptions } from './config/library-options.js';
import { resolveSettings } from './config/resolve-settings.js';
import { gatherSources } from './config/sources.js';
import { createHost } from './host.js';
import type { Meterctl, MeterctlOptions } from './library/contract.js';
import { openMeterctl } from './library/open-meterctl.js';
import { createLog } from './terminal/log.js';
import { createTerminal } from './terminal/terminal.js';

export { MeterctlError } from './domain/error.js';
export type {
  FetchHandler,
  FetchPrice,
  Log,
  Meter,
  Meterctl,
  MeterctlOptions,
  Middleware,
  Price,
  Units,
} from './library/contract.js';

/**
 * Opens meterctl in this process, on the same meterctl.json, environment and database as `meterctl serve`, which may run
 * beside it. Usage is delivered to Stripe from here on, until `close`.
 *
 * Throws a `MeterctlError`: `invalid` for a wrong option or setting, and where `meterctl init` was not run; `conflict` when
 * the database belongs to another mode; `unavailable` when it cannot be opened.
 *
 * @example
 * const shop = await meterctl();
 * app.post('/v1/chat', shop.express({ units: 2 }), chat);
 */
export async function meterctl(options: MeterctlOptions = {}): Promise<Meterctl> {
  const {
    folder = process.cwd(),
    config,
    database,
    url,
    env = process.env,
    log,
  } = readLibraryOptions(options);
  const flags = { ...(config && { config }), ...(database && { database }), ...(url && { url }) };
  const settings = resolveSettings(gatherSources({ folder, env, flags }), folder);
  const { stderr } = createTerminal(process, process.env);
  const host = createHost(
    log ?? createLog({ screen: stderr, level: 'warn', nowMs: () => host.clock.nowMs() }),
  );
  return openMeterctl(settings, host);
}
