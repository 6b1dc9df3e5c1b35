/** How many units a spend cap leaves, by the arithmetic that prices the invoice. */

import { usageUnitsMax } from '../domain/usage.js';
import { decimal } from '../lib/decimal.js';
import { chargesFor, type PriceTerms, totalMinor } from '../lib/pricing.js';

/** What a period's units cost, in minor units. */
export function costOf(terms: PriceTerms, units: number): number {
  return totalMinor(chargesFor(terms, decimal(units)));
}

/**
 * The last number of units up to which, counted from `fromUnits`, no number costs more than `capMinor`; `fromUnits - 1` when
 * that one does already. Costs rise within a tier, but a volume price may fall at a tier's edge: the units before the edge
 * would then have cost too much, so they are never walked over.
 */
export function affordableUnits(terms: PriceTerms, capMinor: number, fromUnits: number): number {
  let first = Math.max(0, fromUnits);
  for (const end of tierEnds(terms)) {
    if (end < first) continue;
    const last = lastAffordable(terms, capMinor, first, end);
    if (last < end) return last;
    first = end + 1;
  }
  return usageUnitsMax;
}

/** The last unit of each tier; the last tier ends where counting does. */
function tierEnds(terms: PriceTerms): number[] {
  const ends = terms.billing_scheme === 'tiered' ? (terms.tiers ?? []).map(({ up_to }) => up_to) : [];
  return [...ends.filter((end) => end !== null), usageUnitsMax];
}

/** The same between two numbers within which costs rise. It doubles its steps first, so that no cost leaves the whole numbers. */
function lastAffordable(terms: PriceTerms, capMinor: number, first: number, end: number): number {
  let good = first - 1;
  let step = 1;
  let bad = end + 1;
  while (good < end) {
    const next = Math.min(good + step, end);
    if (costOf(terms, next) > capMinor) {
      bad = next;
      break;
    }
    good = next;
    step *= 2;
  }
  while (bad - good > 1) {
    const middle = good + Math.floor((bad - good) / 2);
    if (costOf(terms, middle) > capMinor) bad = middle;
    else good = middle;
  }
  return good;
}
