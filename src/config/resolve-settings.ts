/** Makes the settings of one run from everything that was gathered. */

import { join, resolve } from 'node:path';
import { MeterctlError } from '../domain/error.js';
import type { Mode } from '../domain/mode.js';
import { durationMs, parseDuration } from '../lib/duration.js';
import { decideMode } from './decide-mode.js';
import { gatewaySettings } from './gateway-settings.js';
import { limitsOf } from './limit-settings.js';
import type { ConfigFile } from './schema.js';
import type { CatalogIds, CatalogSettings, Settings } from './settings.js';
import { folderOf, type Sources } from './sources.js';

/** The folder of the state, beside meterctl.json. */
export const stateFolderName = '.meterctl';

/** The key that the embedded Stripe is called with. It opens nothing anywhere else. */
const emulatorKey = 'sk_test_emulator';

/** Stripe takes 1,000 meter events a second in live mode and 25 calls a second otherwise (stripe-facts 3a); a fifth is left free. */
const ratePerSecond: Record<Mode, number> = { emulator: 20, test: 20, live: 800 };

/** The settings, frozen. `folder` is what a relative database path starts from. Throws what `decideMode` throws, or `invalid`. */
export function resolveSettings(sources: Sources, folder: string): Settings {
  const mode = decideMode(sources).value;
  const paths = databasePaths(sources, folder);
  return Object.freeze({
    mode,
    configPath: sources.configPath,
    stripe: {
      secretKey: sources.secretKey.value ?? emulatorKey,
      apiBase: sources.apiBase.value,
      webhookSecrets: sources.webhookSecrets.value,
    },
    catalog: catalogOf(sources.file),
    catalogIds: catalogIdsOf(sources.file),
    ...paths,
    server: {
      host: sources.host.value,
      port: sources.port.value,
      publicUrl: sources.publicUrl.value,
      upstream: sources.upstream.value,
      adminToken: sources.adminToken.value,
      trustProxy: sources.trustProxy.value,
    },
    auth: {
      queryParameter: sources.queryParameter.value ?? mode !== 'live',
      keyPrefix: sources.keyPrefix.value,
      keyPepper: sources.keyPepper.value,
    },
    access: { pastDueGraceMs: fixedMs(sources.pastDueGrace.value) },
    delivery: { windowMs: fixedMs(sources.window.value), ratePerSecond: ratePerSecond[mode] },
    limits: limitsOf(sources.file),
    alerts: {
      thresholds: [...new Set(sources.thresholds.value)].sort((a, b) => a - b),
      url: sources.alertUrl.value,
      secret: sources.alertSecret.value,
      command: sources.alertCommand.value,
    },
    gateway: gatewaySettings(sources.file),
    webhooks: { pollMs: fixedMs(sources.poll.value ?? defaultPoll(sources, mode)) },
  });
}

/** Where the databases are. Throws `invalid` for an engine that is not there. */
export function databasePaths(
  sources: Pick<Sources, 'configPath' | 'database'>,
  folder: string,
): { databasePath: string; emulatorDatabasePath: string } {
  const stateFolder = join(folderOf(sources), stateFolderName);
  const named = sources.database.value;
  if (named !== null && /^\w+:\/\//.test(named)) {
    throw new MeterctlError('invalid', 'The database must be the path of an SQLite file.', {
      hint: 'Write a path such as .meterctl/meterctl.db, without a scheme.',
    });
  }
  return {
    databasePath: named === null ? join(stateFolder, 'meterctl.db') : resolve(folder, named),
    emulatorDatabasePath: join(stateFolder, 'emulator.db'),
  };
}

/**
 * Where webhooks come in, Stripe's list only has to make up for lost ones; without them it is all there is. They come from the
 * embedded Stripe, and from wherever a signing secret is known to check them with.
 */
export function defaultPoll(
  sources: Pick<Sources, 'webhookSecrets' | 'apiBase'>,
  mode: Mode | undefined,
): string {
  const embedded = mode === 'emulator' && sources.apiBase.value === null;
  return embedded || sources.webhookSecrets.value.length > 0 ? '1h' : '1m';
}

function catalogOf(file: ConfigFile | undefined): CatalogSettings | null {
  if (!file?.product || !file.price || !file.meter) return null;
  return {
    productName: file.product.name,
    unit: file.product.unit,
    price: file.price.amount,
    currency: file.price.currency,
    interval: file.price.interval,
    eventName: file.meter.eventName,
  };
}

function catalogIdsOf(file: ConfigFile | undefined): CatalogIds | null {
  if (!file?.stripe) return null;
  const { meter, product, price } = file.stripe;
  return { meter, product, price };
}

/** The rules let only durations of a fixed length through. */
function fixedMs(text: string): number {
  const duration = parseDuration(text);
  const ms = duration && durationMs(duration);
  if (ms === undefined) throw new MeterctlError('internal', `${text} has no fixed length.`);
  return ms;
}
