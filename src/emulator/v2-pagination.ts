/** Lists as v2 answers them: the URL of the next page is in the answer. */

import type Stripe from 'stripe';
import { z } from 'zod';
import type { Account } from './account.js';
import { ApiError } from './api-error.js';
import type { ObjectKind, Stored } from './object-kinds.js';
import type { ObjectFilter } from './object-scan.js';
import { shownIn } from './pagination.js';
import { integer } from './parameters.js';

/** The parameters of every list: spread them into the schema. `page` comes from `next_page_url`. */
export const v2PageParameters = {
  limit: integer({ min: 1, max: 100 }).default(20),
  page: z.string().optional(),
};

/** A page of stored objects, newest first. */
export function listV2<Kind extends ObjectKind>(
  account: Account,
  kind: Kind,
  request: { url: string; query: string; parameters: { limit: number; page?: string | undefined } },
  filter: ObjectFilter<Kind>,
): Stripe.V2List<Stored<Kind>> {
  const { limit, page } = request.parameters;
  const cursor = page === undefined ? undefined : cursorOf(page);
  if (cursor && !account.objects.get(kind, cursor.id))
    throw new ApiError('Invalid page token.', { code: 'invalid_fields', param: 'page' });
  const { data, hasMore } = account.objects.list(kind, shownIn(account, filter), {
    limit,
    startingAfter: cursor?.forward === true ? cursor.id : undefined,
    endingBefore: cursor?.forward === false ? cursor.id : undefined,
  });
  const first = data[0];
  const last = data.at(-1);
  const url = (direction: 'after' | 'before', id: string) => {
    const query = new URLSearchParams(request.query);
    query.set('page', Buffer.from(`${direction} ${id}`).toString('base64url'));
    return `${request.url}?${query}`;
  };
  const backwards = cursor?.forward === false;
  return {
    data,
    next_page_url: last && (backwards || hasMore) ? url('after', last.id) : null,
    previous_page_url: first && cursor && (!backwards || hasMore) ? url('before', first.id) : null,
  };
}

function cursorOf(page: string): { forward: boolean; id: string } | undefined {
  const [direction, id] = Buffer.from(page, 'base64url').toString('utf8').split(' ');
  if (id === undefined || (direction !== 'after' && direction !== 'before'))
    throw new ApiError('Invalid page token.', { code: 'invalid_fields', param: 'page' });
  return { forward: direction === 'after', id };
}
