/** Times as text: RFC 3339 for programs, "2 hours ago" for people. */

import { rfc3339 } from '../lib/rfc3339.js';
import type { Screen } from './terminal.js';

const units = [
  ['year', 31_557_600_000],
  ['month', 2_629_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/;

/** How a time is written, for messages. */
export const timeExample = '2026-11-01T00:00:00Z';

/**
 * Reads an RFC 3339 time, or a date, which means its first moment in UTC. `undefined` for anything else, days that no
 * month has included; a time without an offset is ambiguous, so it is refused too.
 */
export function parseTime(text: string): number | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0'] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  // Date.UTC rolls 30 February over into March, which shows as another day.
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  return Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text.replace(' ', 'T').toUpperCase());
}

/** A time as the reader of the screen wants it: a person gets `2 hours ago`, a program RFC 3339. `null` is `never`. */
export function timeText(screen: Pick<Screen, 'isTty'>, ms: number | null, nowMs: number): string {
  if (ms === null) return 'never';
  return screen.isTty ? agoText(ms, nowMs) : rfc3339(ms);
}

/** The distance from now in its largest unit: `2 hours ago`, `in 3 days`, `just now`. */
export function agoText(ms: number, nowMs: number): string {
  const distance = ms - nowMs;
  for (const [unit, length] of units) {
    if (Math.abs(distance) >= length) return relative.format(Math.trunc(distance / length), unit);
  }
  return 'just now';
}
