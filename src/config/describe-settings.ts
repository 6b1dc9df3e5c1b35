/** Every effective value with its source, for a person who wonders why: secrets masked. */

import type { Mode } from '../domain/mode.js';
import { databasePaths, defaultPoll } from './resolve-settings.js';
import type { ConfigFile } from './schema.js';
import type { Source, Sourced, Sources } from './sources.js';

/** A value as it may be shown. */
export type ShownValue = string | number | boolean | string[] | number[] | null;

/** One effective setting. */
export interface SettingShown {
  /** Its place in meterctl.json, or the name that it would have there. */
  name: string;
  value: ShownValue;
  source: Source;
}

/** All settings in a fixed order. `mode` is `undefined` when it could not be decided. */
export function describeSettings(
  sources: Sources,
  folder: string,
  mode: Sourced<Mode> | undefined,
): SettingShown[] {
  const paths = databasePaths(sources, folder);
  const queryParameter = sources.queryParameter.value ?? mode?.value !== 'live';
  return [
    { name: 'mode', value: mode?.value ?? null, source: mode?.source ?? 'default' },
    ...describeFile(sources.file),
    { name: 'stripe.secretKey', ...masked(sources.secretKey) },
    { name: 'stripe.apiBase', ...sources.apiBase },
    { name: 'stripe.webhookSecrets', ...masked(sources.webhookSecrets) },
    { name: 'database', value: paths.databasePath, source: sources.database.source },
    { name: 'server.host', ...sources.host },
    { name: 'server.port', ...sources.port },
    { name: 'server.publicUrl', ...sources.publicUrl },
    { name: 'server.upstream', ...sources.upstream },
    { name: 'server.adminToken', ...masked(sources.adminToken) },
    { name: 'server.trustProxy', ...sources.trustProxy },
    { name: 'auth.queryParameter', value: queryParameter, source: sources.queryParameter.source },
    { name: 'auth.keyPrefix', ...sources.keyPrefix },
    { name: 'auth.keyPepper', ...masked(sources.keyPepper) },
    { name: 'access.pastDueGrace', ...sources.pastDueGrace },
    { name: 'alerts.thresholds', ...sources.thresholds },
    { name: 'alerts.url', ...sources.alertUrl },
    { name: 'alerts.secret', ...masked(sources.alertSecret) },
    { name: 'alerts.command', ...sources.alertCommand },
    { name: 'delivery.window', ...sources.window },
    {
      name: 'webhooks.poll',
      value: sources.poll.value ?? defaultPoll(sources, mode?.value),
      source: sources.poll.source,
    },
  ];
}

/** What is sold stands in meterctl.json alone. */
function describeFile(file: ConfigFile | undefined): SettingShown[] {
  const values: [string, ShownValue | undefined][] = [
    ['product.name', file?.product?.name],
    ['product.unit', file?.product?.unit],
    ['limits.rate', file?.limits?.rate],
    ['limits.quota', file?.limits?.quota],
    ['limits.maxInFlight', file?.limits?.maxInFlight],
    ['limits.spendCap', file?.limits?.spendCap],
    ['limits.prepaidUnits', file?.limits?.prepaidUnits],
    ['price.amount', file?.price?.amount],
    ['price.currency', file?.price?.currency],
    ['price.interval', file?.price?.interval],
    ['meter.eventName', file?.meter?.eventName],
    ['stripe.meter', file?.stripe?.meter],
    ['stripe.product', file?.stripe?.product],
    ['stripe.price', file?.stripe?.price],
    ['stripe.webhooks', file?.stripe?.webhooks],
  ];
  return values.map(([name, value]) => ({
    name,
    value: value ?? null,
    source: value === undefined ? 'default' : 'meterctl.json',
  }));
}

function masked<T extends string | string[] | null>({
  value,
  source,
}: Sourced<T>): Sourced<string | string[] | null> {
  if (value === null) return { value, source };
  return { value: typeof value === 'string' ? maskSecret(value) : value.map(maskSecret), source };
}

/** Shows what kind of secret it is and its last characters, if enough stays hidden: `sk_test_…4f2a`. */
export function maskSecret(secret: string): string {
  const [, prefix = '', rest = ''] = /^((?:[a-z]+_)?(?:test_|live_)?)(.*)$/.exec(secret) ?? [];
  return rest.length >= 12 ? `${prefix}…${rest.slice(-4)}` : '…';
}
