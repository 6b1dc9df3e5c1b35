/** What pointers name, and what they do not. */

import { expect, it } from 'vitest';
import { valueAt } from '../../src/metering/json-pointer.js';

it('names members and elements, and nothing that only the language gives them', () => {
  const document = { items: [{ n: 4 }, 5], 'a/b': { '~x': 6 }, length: 7 };
  expect(valueAt(document, '/items/0/n')).toBe(4);
  expect(valueAt(document, '/a~1b/~0x')).toBe(6);
  expect(valueAt(document, '/length')).toBe(7);
  for (const pointer of ['/items/length', '/items/2', '/items/00', '/items/-', '/items/1/n', '/toString']) {
    expect([pointer, valueAt(document, pointer)]).toEqual([pointer, undefined]);
  }
});
