/** Lists as v1 answers them: newest first, with id cursors (docs.stripe.com/api/pagination). */

import type Stripe from 'stripe';
import type { z } from 'zod';
import type { Account } from './account.js';
import { exclusive, noSuch } from './api-error.js';
import type { ObjectKind, Stored } from './object-kinds.js';
import type { ObjectFilter } from './object-scan.js';
import type { Page } from './object-store.js';
import { integer, text } from './parameters.js';

/** The parameters of every list: spread them into the schema. */
export const pageParameters = {
  limit: integer({ min: 1, max: 100 }).default(10),
  starting_after: text().optional(),
  ending_before: text().optional(),
};

/** What `pageParameters` reads. */
export type PageParameters = z.output<z.ZodObject<typeof pageParameters>>;

/** A page of stored objects as `GET /v1/…` answers it. Throws on a cursor that names nothing. */
export function listObjects<Kind extends ObjectKind>(
  account: Account,
  kind: Kind,
  request: { url: string; parameters: PageParameters },
  filter: ObjectFilter<Kind>,
): Stripe.ApiList<Stored<Kind>> {
  const page = pageOf(account, kind, request.parameters);
  const { data, hasMore } = account.objects.list(kind, shownIn(account, filter), page);
  return { object: 'list', data, has_more: hasMore, url: request.url };
}

/** What a list shows of it: what is too new may be missing, while the fault `listLagSec` is on. */
export function shownIn<Kind extends ObjectKind>(
  account: Account,
  filter: ObjectFilter<Kind>,
): ObjectFilter<Kind> {
  const { listLagSec } = account.faults.get();
  if (listLagSec === 0) return filter;
  const newest = account.clock.nowSec() - listLagSec;
  return { ...filter, created: { ...filter.created, lte: Math.min(filter.created?.lte ?? newest, newest) } };
}

/** The page asked for, its cursor checked. */
function pageOf(account: Account, kind: ObjectKind, parameters: PageParameters): Page {
  const { limit, starting_after: startingAfter, ending_before: endingBefore } = parameters;
  if (startingAfter !== undefined && endingBefore !== undefined)
    throw exclusive('ending_before', 'starting_after');
  for (const [param, id] of [
    ['starting_after', startingAfter],
    ['ending_before', endingBefore],
  ] as const) {
    if (id !== undefined && account.objects.get(kind, id) === undefined) throw noSuch(kind, id, param);
  }
  return { limit, startingAfter, endingBefore };
}

/** A page cut out of rows that are computed, not stored: newest first, `id` as the cursor. */
export function listRows<Row extends { id: string }>(
  rows: Row[],
  request: { url: string; parameters: PageParameters },
): Stripe.ApiList<Row> {
  const { limit, starting_after: after, ending_before: before } = request.parameters;
  if (after !== undefined && before !== undefined) throw exclusive('ending_before', 'starting_after');
  const cursor = after ?? before;
  const at = cursor === undefined ? -1 : rows.findIndex((row) => row.id === cursor);
  const candidates =
    before === undefined ? rows.slice(at + 1) : rows.slice(Math.max(0, at - limit - 1), Math.max(0, at));
  const data = before === undefined ? candidates.slice(0, limit) : candidates.slice(-limit);
  return { object: 'list', data, has_more: candidates.length > limit, url: request.url };
}
