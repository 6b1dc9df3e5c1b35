import { expect, it } from 'vitest';
import { ratiosOf, spreadOf } from '../../src/bench/spread.js';

it('finds the middle and the ends', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spreadOf([10, 9])).toEqual({ median: 9.5, min: 9, max: 10 });
  expect(() => spreadOf([])).toThrow();
});

it('compares what was measured side by side', () => {
  expect(ratiosOf([2, 9], [1, 3])).toEqual([2, 3]);
  expect(() => ratiosOf([1], [])).toThrow();
});
