/** Calendar arithmetic in UTC, as billing periods need it. */

const DAY_MS = 86_400_000;

/** What a billing period is counted in. */
export type Interval = 'day' | 'week' | 'month' | 'year';

/**
 * The time `count` intervals after `anchorMs`. Months keep the anchor's day where the month has it and take the month's
 * last day otherwise (31 January, 28 February, 31 March), because they are always counted from the anchor.
 */
export function addIntervals(anchorMs: number, interval: Interval, count: number): number {
  if (interval === 'day') return anchorMs + count * DAY_MS;
  if (interval === 'week') return anchorMs + count * 7 * DAY_MS;
  return addMonths(anchorMs, interval === 'month' ? count : count * 12);
}

/** The period `[startMs, endMs)` of `count` intervals each, counted from `anchorMs`, that contains `atMs`. */
export function periodContaining(
  anchorMs: number,
  interval: Interval,
  count: number,
  atMs: number,
): { startMs: number; endMs: number } {
  const lengthMs = { day: 1, week: 7, month: 30.44, year: 365.25 }[interval] * DAY_MS * count;
  let index = Math.floor((atMs - anchorMs) / lengthMs);
  while (addIntervals(anchorMs, interval, index * count) > atMs) index -= 1;
  while (addIntervals(anchorMs, interval, (index + 1) * count) <= atMs) index += 1;
  return {
    startMs: addIntervals(anchorMs, interval, index * count),
    endMs: addIntervals(anchorMs, interval, (index + 1) * count),
  };
}

function addMonths(anchorMs: number, months: number): number {
  const anchor = new Date(anchorMs);
  const monthIndex = anchor.getUTCFullYear() * 12 + anchor.getUTCMonth() + months;
  const year = Math.floor(monthIndex / 12);
  const month = monthIndex - year * 12;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const midnight = Date.UTC(year, month, Math.min(anchor.getUTCDate(), lastDay));
  return midnight + (anchorMs % DAY_MS);
}
