/** Where each setting comes from: flag before environment before .env before meterctl.json before default. */

import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { MeterctlError } from '../domain/error.js';
import { configFileName, readConfigFile } from './config-file.js';
import { readDotenv } from './dotenv-file.js';
import { type ConfigFile, rules } from './schema.js';

/** Where a value came from. */
export type Source = 'flag' | 'environment' | '.env' | 'meterctl.json' | 'default';

/** A value that knows where it came from. */
export interface Sourced<T> {
  value: T;
  source: Source;
}

/** What the command line says about settings, as text. */
export type SettingFlags = Partial<
  Record<'config' | 'database' | 'host' | 'port' | 'upstream' | 'url', string>
>;

/** What settings are read from. */
export interface SettingInputs {
  /** The working directory: where .env is, and meterctl.json unless it is named. */
  folder: string;
  env: Record<string, string | undefined>;
  flags: SettingFlags;
}

/** Every setting as it was found, checked one by one; `resolveSettings` makes sense of them together. */
export interface Sources {
  configPath: string;
  /** `undefined` when there is no meterctl.json. */
  file: ConfigFile | undefined;
  secretKey: Sourced<string | null>;
  apiBase: Sourced<string | null>;
  webhookSecrets: Sourced<string[]>;
  database: Sourced<string | null>;
  host: Sourced<string>;
  port: Sourced<number>;
  publicUrl: Sourced<string | null>;
  upstream: Sourced<string | null>;
  adminToken: Sourced<string | null>;
  /** `null`: whatever suits the mode. */
  queryParameter: Sourced<boolean | null>;
  keyPrefix: Sourced<string>;
  keyPepper: Sourced<string | null>;
  trustProxy: Sourced<number | string[]>;
  pastDueGrace: Sourced<string>;
  thresholds: Sourced<number[]>;
  alertUrl: Sourced<string | null>;
  alertSecret: Sourced<string | null>;
  alertCommand: Sourced<string[] | null>;
  window: Sourced<string>;
  /** `null`: whatever suits the way in which messages come. */
  poll: Sourced<string | null>;
}

/** How one setting is looked up. */
interface Lookup<T, D> {
  rule: z.ZodType<T>;
  flag?: keyof SettingFlags;
  /** Environment variables, the one that counts first. */
  variables?: readonly string[];
  fromText?: (text: string) => unknown;
  fromFile?: T | undefined;
  fallback: D;
}

/** Gathers all settings. Throws `invalid` for a value that breaks its rule, and what reading the files throws. */
export function gatherSources(inputs: SettingInputs): Sources {
  const texts = { environment: inputs.env, '.env': readDotenv(inputs.folder) };
  const find = <T, D>(lookup: Lookup<T, D>) => findSetting(inputs.flags, texts, lookup);
  const path = find({ rule: rules.path, flag: 'config', variables: ['METERCTL_CONFIG'], fallback: null });
  const configPath = resolve(inputs.folder, path.value ?? configFileName);
  const file = readConfigFile(configPath);
  const server = file?.server;
  return {
    configPath,
    file,
    // The text is taken as it is: a key that is no key is explained with the mode, and never quoted.
    secretKey: find({
      rule: rules.path,
      variables: ['STRIPE_SECRET_KEY', 'STRIPE_API_KEY'],
      fallback: null,
    }),
    apiBase: find({ rule: rules.url, variables: ['STRIPE_API_BASE'], fallback: null }),
    webhookSecrets: find({
      rule: rules.webhookSecrets,
      variables: ['STRIPE_WEBHOOK_SECRET'],
      fromText: splitList,
      fallback: [],
    }),
    database: find({ rule: rules.path, flag: 'database', variables: ['METERCTL_DATABASE'], fallback: null }),
    host: find({
      rule: rules.host,
      flag: 'host',
      variables: ['METERCTL_HOST'],
      fromFile: server?.host,
      fallback: '127.0.0.1',
    }),
    port: find({
      rule: rules.port,
      flag: 'port',
      variables: ['METERCTL_PORT'],
      fromText: toNumber,
      fromFile: server?.port,
      fallback: 8080,
    }),
    publicUrl: find({ rule: rules.url, flag: 'url', fromFile: server?.publicUrl, fallback: null }),
    upstream: find({ rule: rules.url, flag: 'upstream', fromFile: server?.upstream, fallback: null }),
    adminToken: find({ rule: rules.token, variables: ['METERCTL_ADMIN_TOKEN'], fallback: null }),
    queryParameter: find({ rule: rules.flag, fromFile: file?.auth?.queryParameter, fallback: null }),
    keyPrefix: find({ rule: rules.keyPrefix, fromFile: file?.auth?.keyPrefix, fallback: 'mk' }),
    keyPepper: find({ rule: rules.path, variables: ['METERCTL_KEY_PEPPER'], fallback: null }),
    trustProxy: find({ rule: rules.trustProxy, fromFile: server?.trustProxy, fallback: 0 }),
    pastDueGrace: find({ rule: rules.duration, fromFile: file?.access?.pastDueGrace, fallback: '14d' }),
    thresholds: find({
      rule: rules.thresholds,
      fromFile: file?.alerts?.thresholds,
      fallback: [50, 80, 100],
    }),
    alertUrl: find({ rule: rules.hookUrl, fromFile: file?.alerts?.url, fallback: null }),
    alertSecret: find({ rule: rules.alertSecret, variables: ['METERCTL_ALERT_SECRET'], fallback: null }),
    alertCommand: find({ rule: rules.command, fromFile: file?.alerts?.command, fallback: null }),
    window: find({ rule: rules.window, fromFile: file?.delivery?.window, fallback: '2s' }),
    poll: find({ rule: rules.poll, fromFile: file?.webhooks?.poll, fallback: null }),
  };
}

/** The folder of meterctl.json, where the state folder is too. */
export function folderOf(sources: Pick<Sources, 'configPath'>): string {
  return dirname(sources.configPath);
}

function findSetting<T, D>(
  flags: SettingFlags,
  texts: Record<'environment' | '.env', Record<string, string | undefined>>,
  lookup: Lookup<T, D>,
): Sourced<T | D> {
  const flag = lookup.flag && flags[lookup.flag];
  if (flag !== undefined) return { value: check(lookup, flag, `--${lookup.flag}`), source: 'flag' };
  for (const variable of lookup.variables ?? []) {
    for (const source of ['environment', '.env'] as const) {
      const text = texts[source][variable]?.trim();
      // An empty variable counts as not set, as `VARIABLE= command` is how people unset one.
      if (!text) continue;
      const place = source === '.env' ? `${variable} in .env` : variable;
      return { value: check(lookup, text, place), source };
    }
  }
  if (lookup.fromFile !== undefined) return { value: lookup.fromFile, source: 'meterctl.json' };
  return { value: lookup.fallback, source: 'default' };
}

/** The message names the place and the rule, never the value, which may be a secret. */
function check<T>(lookup: Lookup<T, unknown>, text: string, place: string): T {
  const checked = lookup.rule.safeParse(lookup.fromText ? lookup.fromText(text) : text);
  if (checked.success) return checked.data;
  throw new MeterctlError('invalid', `${place} ${checked.error.issues[0]?.message}.`);
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** Only digits: `Number` would take ` `, `1e3` and `0x10` too. */
function toNumber(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}
