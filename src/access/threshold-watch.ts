/** Notices when usage reaches a part of a limit: one comparison a call. */

import type { Crossing } from '../domain/alert.js';
import type { Bound, CallerLimits } from './caller-limits.js';
import type { Counter } from './counters.js';
import { endOfTimeMs } from './spans.js';

/** Tells every threshold of customers' limits that the counts have reached, at least once. Returns whether all of them are told. */
export type ThresholdWatch = (limits: CallerLimits, counters: readonly Counter[]) => boolean;

/**
 * Makes a watch. `crossed` may be told the same again, after a restart for instance, and is told again what it says that it does
 * not remember.
 */
export function createThresholdWatch(deps: {
  meter: string;
  /** In percent, ascending. */
  thresholds: readonly number[];
  crossed(crossing: Crossing): boolean;
}): ThresholdWatch {
  /** Tells what is reached and was not told yet. Returns whether all of it is told. */
  function tell(customerId: string, bound: Bound, counter: Counter): boolean {
    const { limit, allowed } = bound;
    const { startMs, endMs, committed } = counter;
    const used = bound.measure(committed);
    const window = { startMs, endMs: endMs < endOfTimeMs ? endMs : null };
    let told = bound.told?.counter === counter ? bound.told.thresholds : 0;
    let nextUnits = Number.POSITIVE_INFINITY;
    let isRemembered = true;
    for (const threshold of deps.thresholds.slice(told)) {
      const reached = Math.ceil((allowed * threshold) / 100);
      if (used < reached) {
        nextUnits = bound.unitsFor(reached, committed);
        break;
      }
      isRemembered = deps.crossed({ customerId, meter: deps.meter, limit, threshold, used, allowed, window });
      if (!isRemembered) {
        nextUnits = Number.NEGATIVE_INFINITY;
        break;
      }
      told += 1;
    }
    bound.told = { counter, thresholds: told, nextUnits };
    return isRemembered;
  }

  return ({ scopes }, counters) => {
    let index = 0;
    let isAllTold = true;
    for (const { whose, spans } of scopes) {
      for (const { bounds } of spans) {
        const counter = counters[index];
        index += 1;
        if (whose.kind !== 'customer' || !counter) continue;
        for (const bound of bounds) {
          const { told } = bound;
          if (told?.counter === counter && counter.committed < told.nextUnits) continue;
          isAllTold = tell(whose.id, bound, counter) && isAllTold;
        }
      }
    }
    return isAllTold;
  };
}
