/** Durations as people write them: `45s`, `30m`, `24h`, `90d`, `4w`, `1mo`. */

import { addIntervals } from './calendar.js';

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A duration; a month (`mo`) is a calendar month, which has no fixed length. */
export interface Duration {
  count: number;
  unit: keyof typeof unitMs | 'mo';
}

/** How durations are written, for messages. */
export const durationExamples = '45s, 30m, 24h, 90d, 4w or 1mo';

/** Reads a duration of at least one and at most 999,999 of its unit; `undefined` for anything else. */
export function parseDuration(text: string): Duration | undefined {
  const match = /^([1-9]\d{0,5})(s|m|h|d|w|mo)$/.exec(text);
  if (!match) return undefined;
  // The pattern lets only these units through.
  return { count: Number(match[1]), unit: match[2] as Duration['unit'] };
}

/** The length in milliseconds; `undefined` for months. */
export function durationMs(duration: Duration): number | undefined {
  return duration.unit === 'mo' ? undefined : duration.count * unitMs[duration.unit];
}

/** The time that lies the duration after `fromMs`. */
export function afterDuration(fromMs: number, duration: Duration): number {
  const ms = durationMs(duration);
  return ms === undefined ? addIntervals(fromMs, 'month', duration.count) : fromMs + ms;
}

/** The time that lies the duration before `fromMs`. */
export function beforeDuration(fromMs: number, duration: Duration): number {
  const ms = durationMs(duration);
  return ms === undefined ? addIntervals(fromMs, 'month', -duration.count) : fromMs - ms;
}

/** Writes whole seconds in the largest unit that divides them: 90,000 ms is `90s`, 86,400,000 ms is `1d`. Weeks stay days. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm'] as const) {
    if (ms > 0 && ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`;
  }
  return `${ms / 1000}s`;
}
