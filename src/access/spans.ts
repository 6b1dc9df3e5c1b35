/** The window that a limit counts over at a time. */

import type { QuotaSpan } from '../domain/limit.js';
import type { Period } from '../domain/subscription.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** The last moment that a date can name (ECMAScript: time values): a window that never ends. */
export const endOfTimeMs = 8.64e15;

/** The hour, day or month of the calendar in UTC, or the billing period; without one all time is a period. */
export function spanAt(span: QuotaSpan, atMs: number, period: Period | undefined): Period {
  switch (span) {
    case 'hour':
      return wholeSpan(atMs, HOUR_MS);
    case 'day':
      return wholeSpan(atMs, DAY_MS);
    case 'month': {
      const at = new Date(atMs);
      const month = (ahead: number) => Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + ahead, 1);
      return { startMs: month(0), endMs: month(1) };
    }
    case 'period':
      return period ?? { startMs: 0, endMs: endOfTimeMs };
  }
}

function wholeSpan(atMs: number, lengthMs: number): Period {
  const startMs = Math.floor(atMs / lengthMs) * lengthMs;
  return { startMs, endMs: startMs + lengthMs };
}
