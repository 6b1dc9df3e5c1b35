/** The options that `keys create` and `keys update` share, and what they make of a key. */

import { type Command, Option } from 'commander';
import { MeterctlError } from '../domain/error.js';
import type { KeyChange } from '../domain/key.js';
import { type Limits, type Quota, quotaExamples, type Rate, rateExamples } from '../domain/limit.js';
import type { KeyOrder } from '../keys/issue.js';
import { afterDuration } from '../lib/duration.js';
import { latestMs } from '../lib/rfc3339.js';
import * as parse from './parse.js';

/** What the shared options make. */
export interface TermOptions {
  name?: string;
  expires?: parse.Moment;
  scope?: string[];
  ip?: string[];
  metadata?: Record<string, string | null>;
}

/** Adds the shared options. */
export function addTermOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what the key is for', parse.shortText)
    .option('--expires <end>', 'a duration such as 90d, or a time', parse.moment)
    .option(
      '--scope <scope>',
      'what the key may be used for; repeat it for more; everything by default',
      parse.scopes,
    )
    .option(
      '--ip <range>',
      'where it may be used from, such as 192.0.2.0/24; repeat it for more',
      parse.addressRanges,
    )
    .option('--metadata <key=value>', 'a note of your own; repeat it for more', parse.metadata);
}

/** Limits of one key. */
export interface KeyLimitOptions {
  rate?: Rate | undefined;
  quota?: Quota | undefined;
  maxInFlight?: number | undefined;
}

/** Adds the limits of one key; of a customer or a plan they are set by `limits set`. */
export function addKeyLimitOptions(command: Command): Command {
  return command
    .option('--rate <rate>', `calls with this key, such as ${rateExamples}`, parse.rate)
    .option('--quota <quota>', `units of this key, such as ${quotaExamples}`, parse.quota);
}

/** The limits that the options set; `null` for none. */
export function limitsOf({ rate, quota, maxInFlight }: KeyLimitOptions): Limits | null {
  return rate || quota || maxInFlight ? { rate, quota, maxInFlight } : null;
}

/** What may be cleared by `keys update`. */
const clearable = ['name', 'expires', 'scopes', 'ip'] as const;

/** The option that takes a restriction away; restrictions that are named are replaced as a whole. */
export function clearOption(): Option {
  return new Option('--clear <what...>', 'take away what was set').choices(clearable);
}

/** The terms of a new key. */
export function termsOf(options: TermOptions, nowMs: number): Omit<KeyOrder, 'customerId'> {
  const { metadata = {}, ...change } = changeOf(options, [], nowMs);
  const entries = Object.entries(metadata).filter((entry): entry is [string, string] => entry[1] !== null);
  return { ...change, metadata: Object.fromEntries(entries) };
}

/** What is changed about a key. Throws `invalid` when the same is both set and cleared. */
export function changeOf(options: TermOptions, clear: readonly string[], nowMs: number): KeyChange {
  const { name, expires, scope, ip, metadata } = options;
  const set: Record<(typeof clearable)[number], unknown> = { name, expires, scopes: scope, ip };
  const both = clearable.find((term) => clear.includes(term) && set[term] !== undefined);
  if (both) throw new MeterctlError('invalid', `${both} is both set and cleared.`);
  return {
    name: clear.includes('name') ? null : name,
    expiresAtMs: clear.includes('expires') ? null : expires && endOf(expires, nowMs),
    scopes: clear.includes('scopes') ? [] : scope,
    ipAllow: clear.includes('ip') ? [] : ip,
    metadata,
  };
}

/** The time that is meant. Throws `invalid` when it cannot be written. */
export function endOf(end: parse.Moment, nowMs: number): number {
  const atMs = 'atMs' in end ? end.atMs : afterDuration(nowMs, end.distance);
  if (atMs <= latestMs) return atMs;
  throw new MeterctlError('invalid', 'The end lies beyond the year 9999.', {
    hint: 'A key without --expires never ends.',
  });
}
