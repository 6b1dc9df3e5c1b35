/** The middle of several measurements, and how far they lie apart. */

import assert from 'node:assert';

/** Median, least and greatest. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** Throws for no values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  assert(min !== undefined && max !== undefined && low !== undefined && high !== undefined);
  return { median: (low + high) / 2, min, max };
}

/** Each value divided by the one that was measured beside it: a machine that was busy then was busy for both. */
export function ratiosOf(values: readonly number[], against: readonly number[]): number[] {
  assert(values.length === against.length, 'ratios need pairs');
  return values.map((value, index) => value / (against[index] ?? Number.NaN));
}
