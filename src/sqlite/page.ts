/** Lists by keyset: a cursor holds the sort key of the last row that was shown, so pages stay right while rows are added. */

import { Buffer } from 'node:buffer';
import { MeterctlError } from '../domain/error.js';
import type { Page, PageRequest } from '../domain/page.js';

/** The sort key where the page before ended; `undefined` on the first page. Throws `invalid` for a cursor of another list. */
export function keyOfCursor(
  list: string,
  parts: number,
  { limit, cursor }: PageRequest,
): number[] | undefined {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new MeterctlError('invalid', `A page of ${limit} rows cannot be listed.`, {
      hint: 'Ask for 1 or more.',
    });
  }
  if (cursor === undefined) return undefined;
  const [name, ...key] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  if (name === list && key.length === parts && key.every((part) => /^-?\d{1,16}$/.test(part))) {
    return key.map(Number);
  }
  throw new MeterctlError('invalid', 'The cursor does not belong to this list.', {
    hint: 'Use the next_cursor of the page before, unchanged, or leave it out to start anew.',
  });
}

/** Makes a page of `limit + 1` rows: the row too many only tells that there is a next page. */
export function pageOf<Row, T>(
  list: string,
  limit: number,
  rows: Row[],
  keyOf: (row: Row) => number[],
  toDomain: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(toDomain),
    nextCursor:
      last && rows.length > limit
        ? Buffer.from([list, ...keyOf(last)].join(':')).toString('base64url')
        : null,
  };
}
