/** `/v2/core/events`: thin events, with their data (stripe-facts 3d, 6). */

import type Stripe from 'stripe';
import { z } from 'zod';
import { notFound } from '../api-error.js';
import type { StoredThinEvent } from '../object-kinds.js';
import { type Route, route } from '../router.js';
import { listV2, v2PageParameters } from '../v2-pagination.js';

const keptSec = 30 * 86_400;

/** v2 writes times as RFC 3339; whole seconds, as the SDK's types have them, are understood too. */
const time = z
  .string()
  .regex(/^(\d+|\d{4}-\d\d-\d\dT.+)$/)
  .transform((raw) => (/^\d+$/.test(raw) ? Number(raw) : Date.parse(raw) / 1000))
  .optional();

/** Thin events. */
export const v2EventRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v2/core/events',
    parameters: z.strictObject({
      ...v2PageParameters,
      created: z.strictObject({ gt: time, gte: time, lt: time, lte: time }).optional(),
      object_id: z.string().optional(),
      types: z.array(z.string()).max(20).optional(),
    }),
    handle(account, request): Stripe.V2List<StoredThinEvent> {
      const { created = {}, object_id: objectId, types } = request.parameters;
      const oldest = account.clock.nowSec() - keptSec;
      const inRange = (at: number) =>
        at >= Math.max(oldest, created.gte ?? 0) &&
        at > (created.gt ?? -1) &&
        at < (created.lt ?? Number.POSITIVE_INFINITY) &&
        at <= (created.lte ?? Number.POSITIVE_INFINITY);
      return listV2(account, 'thin_event', request, {
        fields: { 'related_object.id': objectId },
        where: (event) =>
          inRange(Date.parse(event.created) / 1000) && (types === undefined || types.includes(event.type)),
      });
    },
  }),
  route({
    method: 'get',
    path: '/v2/core/events/:id',
    parameters: z.strictObject({}),
    handle(account, { path }): StoredThinEvent {
      const event = account.objects.get('thin_event', path.id);
      if (!event) throw notFound('thin_event', path.id);
      return event;
    },
  }),
];
