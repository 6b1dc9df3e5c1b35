/** Billing periods in unix seconds, counted from an anchor. */

import { addIntervals, type Interval, periodContaining } from '../../lib/calendar.js';
import type { Rhythm } from './money-words.js';

/** A billing period `[startSec, endSec)`. */
export interface Period {
  startSec: number;
  endSec: number;
}

/**
 * The period that contains `atSec`. The anchor may lie ahead: the time before it is then a short first period.
 * Months keep the anchor's day where they have it. Stripe: https://docs.stripe.com/billing/subscriptions/billing-cycle
 */
export function periodAt(anchorSec: number, rhythm: Rhythm, atSec: number): Period {
  const period = periodContaining(anchorSec * 1000, intervalOf(rhythm), rhythm.interval_count, atSec * 1000);
  return { startSec: period.startMs / 1000, endSec: period.endMs / 1000 };
}

/** The time `count` whole periods after `atSec`. */
export function afterPeriods(atSec: number, rhythm: Rhythm, count: number): number {
  return addIntervals(atSec * 1000, intervalOf(rhythm), rhythm.interval_count * count) / 1000;
}

function intervalOf(rhythm: Rhythm): Interval {
  const { interval } = rhythm;
  if (interval === 'day' || interval === 'week' || interval === 'month' || interval === 'year')
    return interval;
  throw new Error(`"${interval}" is no billing interval`);
}
