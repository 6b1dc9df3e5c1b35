/** `/v1/events`: what happened in the last 30 days (stripe-facts 6). */

import { z } from 'zod';
import type { Account } from '../account.js';
import { exclusive, notFound } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { listObjects, pageParameters } from '../pagination.js';
import { createdRange, flag, text } from '../parameters.js';
import { type Route, route } from '../router.js';

/** Stripe keeps events for 30 days. */
const keptSec = 30 * 86_400;

/** The event as it is now: how many deliveries are outstanding changes after it is written. */
function current(account: Account, event: Stored<'event'>): Stored<'event'> {
  const { pending, failed } = account.outstanding(event.id);
  return { ...event, pending_webhooks: pending + failed };
}

/** A type of `types` may end in `*`, as in `invoice.*`. */
function matches(pattern: string, type: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

/** Events. */
export const eventRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/events',
    parameters: z.strictObject({
      ...pageParameters,
      created: createdRange().optional(),
      delivery_success: flag().optional(),
      type: text().optional(),
      types: z.array(text()).max(20, 'You may only specify up to 20 types.').optional(),
    }),
    handle(account, request) {
      const { created = {}, delivery_success: delivered, type, types } = request.parameters;
      if (type !== undefined && types !== undefined) throw exclusive('type', 'types');
      const wanted = types ?? (type === undefined ? undefined : [type]);
      const oldest = account.clock.nowSec() - keptSec;
      const list = listObjects(account, 'event', request, {
        created: { ...created, gte: Math.max(oldest, created.gte ?? 0) },
        where(event) {
          if (wanted && !wanted.some((pattern) => matches(pattern, event.type))) return false;
          if (delivered === undefined) return true;
          const { pending, failed } = account.outstanding(event.id);
          return (pending + failed === 0) === delivered;
        },
      });
      return { ...list, data: list.data.map((event) => current(account, event)) };
    },
  }),
  route({
    method: 'get',
    path: '/v1/events/:id',
    parameters: z.strictObject({}),
    handle(account, { path }) {
      const event = account.objects.get('event', path.id);
      if (!event || event.created < account.clock.nowSec() - keptSec) throw notFound('event', path.id);
      return current(account, event);
    },
  }),
];
