/** `/v1/billing/meters/:id/event_summaries` (stripe-facts 3f). */

import { createHash } from 'node:crypto';
import type Stripe from 'stripe';
import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, noSuch } from '../api-error.js';
import { listRows, pageParameters } from '../pagination.js';
import { integer, oneOf, text } from '../parameters.js';
import { type Route, route } from '../router.js';
import { meterOf } from './meters.js';

const parameters = z.strictObject({
  ...pageParameters,
  customer: text(),
  end_time: integer({ min: 0 }),
  start_time: integer({ min: 0 }),
  value_grouping_window: oneOf(['day', 'hour']).optional(),
});

type Query = z.output<typeof parameters>;

const alignments = {
  minute: { sec: 60, words: 'minute boundaries' },
  hour: { sec: 3600, words: 'hour boundaries when `value_grouping_window` is `hour`' },
  day: { sec: 86_400, words: 'UTC day boundaries when `value_grouping_window` is `day`' },
} as const;

/** The windows asked for, newest first. Throws on times that do not lie on their edges. */
function windowsOf(query: Query): { startSec: number; endSec: number }[] {
  const { start_time: startSec, end_time: endSec, value_grouping_window: grouping } = query;
  const alignment = alignments[grouping ?? 'minute'];
  for (const param of ['start_time', 'end_time'] as const) {
    if (query[param] % alignment.sec !== 0)
      throw new ApiError(`\`${param}\` must be aligned with ${alignment.words}.`, { param });
  }
  if (endSec <= startSec)
    throw new ApiError('`end_time` must be greater than `start_time`.', { param: 'end_time' });
  if (grouping === undefined) return [{ startSec, endSec }];
  const windows = [];
  for (let end = endSec; end > startSec; end -= alignment.sec)
    windows.push({ startSec: end - alignment.sec, endSec: end });
  return windows;
}

function summaries(account: Account, meterId: string, query: Query): Stripe.Billing.MeterEventSummary[] {
  const meter = meterOf(account, meterId);
  const { customer } = query;
  if (!account.objects.get('customer', customer) && !account.objects.get('deleted_customer', customer))
    throw noSuch('customer', customer, 'customer');
  const { summaryLagSec } = account.faults.get();
  const receivedUntilSec = account.clock.nowSec() - summaryLagSec;
  return windowsOf(query).flatMap(({ startSec, endSec }) => {
    const usage = account.meterUsage({ meter, customer, startSec, endSec, receivedUntilSec });
    // A window in which nothing happened has no row; a range that is not cut into windows has one always.
    if (query.value_grouping_window !== undefined && usage.eq(0)) return [];
    const name = createHash('sha256').update(`${meter.id} ${customer} ${startSec} ${endSec}`).digest('hex');
    return [
      {
        id: `mtrusg_test_${name.slice(0, 30)}`,
        object: 'billing.meter_event_summary',
        aggregated_value: usage.toNumber(),
        end_time: endSec,
        livemode: false,
        meter: meter.id,
        start_time: startSec,
      },
    ];
  });
}

/** Event summaries. */
export const eventSummaryRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/billing/meters/:id/event_summaries',
    parameters,
    handle: (account, request) => listRows(summaries(account, request.path.id, request.parameters), request),
  }),
];
