/** Reads the values of options. Whatever is wrong is said in commander's terms, which name the option. */

import { InvalidArgumentError } from 'commander';
import {
  parseQuota,
  parseRate,
  type Quota,
  quotaExamples,
  type Rate,
  rateExamples,
} from '../domain/limit.js';
import { parseAddressRange } from '../lib/address-ranges.js';
import { type Duration, durationExamples, durationMs, parseDuration } from '../lib/duration.js';
import { parseTime, timeExample } from '../terminal/time.js';
import { withoutSecrets } from './without-secrets.js';

/** A time that is given as such, or as a distance from now. */
export type Moment = { atMs: number } | { distance: Duration };

/** Rows of one page at most. */
const limitMax = 1000;

/** An e-mail address, as far as its form tells. */
export function email(text: string): string {
  if (text.length <= 254 && /^[^\s@,;:<>"]+@[^\s@,;:<>"]+\.[^\s@,;:<>".]+$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an e-mail address, such as ada@example.com.');
}

/** A name or another short text that is shown to people, and may be stored. */
export function shortText(text: string): string {
  if (withoutSecrets(text) !== text) throw new InvalidArgumentError('It must not hold a secret key.');
  if (/^\P{Cc}{1,200}$/u.test(text.trim())) return text.trim();
  throw new InvalidArgumentError('It must be 1 to 200 characters without line breaks.');
}

/** Reads ids of one kind, which begin with its prefix. */
export function id(prefix: string): (text: string) => string {
  return (text) => {
    if (new RegExp(`^${prefix}_\\w{1,200}$`).test(text)) return text;
    throw new InvalidArgumentError(`It must be an id that starts with ${prefix}_.`);
  };
}

/** A whole number in a range. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** How many calls may be in flight; more never are. */
export const callsAtOnce = wholeNumber(1, 1_000_000);

/** How many rows a page has at most. */
export const limit = wholeNumber(1, limitMax);

/** A duration. */
export function duration(text: string): Duration {
  const parsed = parseDuration(text);
  if (parsed) return parsed;
  throw new InvalidArgumentError(`It must be a duration such as ${durationExamples}.`);
}

/** A duration of a fixed length, or none, in milliseconds. */
export function grace(text: string): number {
  const ms = /^0[smhdw]?$/.test(text) ? 0 : durationMs(duration(text));
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('It must be a duration of a fixed length, such as 0s, 24h or 30d.');
}

/** A time, or a distance from now. */
export function moment(text: string): Moment {
  const distance = parseDuration(text);
  if (distance) return { distance };
  const atMs = parseTime(text);
  if (atMs !== undefined) return { atMs };
  throw new InvalidArgumentError(
    `It must be a time such as ${timeExample}, a date, or a duration such as 90d.`,
  );
}

/** A time. */
export function time(text: string): number {
  const atMs = parseTime(text);
  if (atMs !== undefined) return atMs;
  throw new InvalidArgumentError(`It must be a time such as ${timeExample}, or a date.`);
}

/** Collects the scopes of a repeated option; several may stand in one, with commas between. */
export function scopes(text: string, before: string[] = []): string[] {
  const named = text.split(',').map((scope) => scope.trim());
  if (named.every((scope) => /^[\w.:*/-]{1,64}$/.test(scope))) return [...new Set([...before, ...named])];
  throw new InvalidArgumentError('A scope is 1 to 64 letters, digits and . : * / - _');
}

/** Collects the addresses of a repeated option, as CIDR ranges. */
export function addressRanges(text: string, before: string[] = []): string[] {
  const ranges = text.split(',').map((range) => parseAddressRange(range.trim()));
  if (ranges.every((range) => range !== undefined)) return [...new Set([...before, ...ranges])];
  throw new InvalidArgumentError(
    'It must be an IP address or a range such as 192.0.2.0/24 or 2001:db8::/32.',
  );
}

/** Collects the entries of a repeated option: `key=value`, or `key=` to take one away. */
export function metadata(
  text: string,
  before: Record<string, string | null> = {},
): Record<string, string | null> {
  const [, key, value] = /^([\w.-]{1,40})=(\P{Cc}{0,500})$/u.exec(text) ?? [];
  if (key !== undefined && value !== undefined) return { ...before, [key]: value === '' ? null : value };
  throw new InvalidArgumentError(
    'It must be key=value: a key of 1 to 40 letters, digits and . - _, a value of at most 500 characters.',
  );
}

/** Leaves the word `none`, and reads everything else as `read` does. (Commander turns `null` into an empty text.) */
export function orNone<T>(read: (text: string) => T): (text: string) => T | 'none' {
  return (text) => (text === 'none' ? text : read(text));
}

/** An amount of money in major units, as text: only its currency tells how many decimal places it may have. */
export function amount(text: string): string {
  if (/^\d{1,12}(\.\d+)?$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an amount such as 50.00.');
}

/** A rate. */
export function rate(text: string): Rate {
  const value = parseRate(text);
  if (value) return value;
  throw new InvalidArgumentError(`It must be a rate such as ${rateExamples}.`);
}

/** A quota. */
export function quota(text: string): Quota {
  const value = parseQuota(text);
  if (value) return value;
  throw new InvalidArgumentError(`It must be a quota such as ${quotaExamples}.`);
}

/** A length of time in seconds, with a fraction if need be. */
export function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= 3_600) return value;
  throw new InvalidArgumentError('It must be a number of seconds above 0, such as 2 or 0.5.');
}
