/** From what an answer tells of its cost to what is owed. */

import type { RouteRule } from '../domain/route.js';
import type { Reading } from './tally.js';

/** What is owed; `why` is set when the upstream told nonsense, so that the fallback is owed. */
export interface Charge {
  units: number;
  why?: string | undefined;
}

/** Units are whole, never below zero, and never above the route's bound. */
export function chargeOf(
  reading: Reading,
  { unitsMax, fallbackUnits }: Pick<RouteRule, 'unitsMax' | 'fallbackUnits'>,
): Charge {
  const { units } = reading;
  if (units === undefined) return { units: fallbackUnits, why: 'why' in reading ? reading.why : undefined };
  if (!Number.isSafeInteger(units) || units < 0) {
    return { units: fallbackUnits, why: `no whole number of units: ${units}` };
  }
  if (units > unitsMax) return { units: fallbackUnits, why: `${units} units, more than ${unitsMax}` };
  return { units };
}
