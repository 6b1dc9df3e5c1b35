/** Time on demand: the emulator's own `advance`, and Stripe's test clocks. */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, notFound } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { listObjects, pageParameters } from '../pagination.js';
import { integer, text } from '../parameters.js';
import { type Route, route } from '../router.js';
import { advanceTo, performUntil } from './advance.js';
import { endSubscriptionsOf } from './cancellation.js';
import { daySec } from './timeline.js';

type TestClock = Stored<'test_clock'>;

/** Days until Stripe deletes a test clock by itself. */
const clockDays = 30;

function clockById(account: Account, id: string): TestClock {
  const clock = account.objects.get('test_clock', id);
  if (!clock) throw notFound('test_clock', id);
  return clock;
}

function createClock(account: Account, frozenSec: number, name: string | undefined): TestClock {
  const now = account.clock.nowSec();
  const clock = account.objects.put('test_clock', {
    id: account.newId('clock'),
    object: 'test_helpers.test_clock',
    created: now,
    deletes_after: now + clockDays * daySec,
    frozen_time: frozenSec,
    livemode: false,
    name: name ?? null,
    status: 'ready',
    status_details: {},
  });
  account.emit('test_helpers.test_clock.created', clock);
  return clock;
}

/** Moves a clock on at once. Stripe takes a while, answers `advancing` and tells with `test_clock.ready`. */
function advanceClock(account: Account, clock: TestClock, toSec: number): TestClock {
  if (toSec <= clock.frozen_time) {
    throw new ApiError('The frozen time must be after the current frozen time of the test clock.', {
      param: 'frozen_time',
    });
  }
  const setTime = (atSec: number) =>
    account.objects.put('test_clock', { ...clock, frozen_time: Math.max(atSec, clock.frozen_time) });
  const advancing: TestClock = { ...clock, status: 'advancing' };
  account.emit('test_helpers.test_clock.advancing', advancing);
  performUntil(account, clock.id, toSec, setTime);
  const ready = setTime(toSec);
  account.emit('test_helpers.test_clock.ready', ready);
  return ready;
}

/** A clock takes its customers with it. Stripe: stripe-facts 9. */
function deleteClock(account: Account, clock: TestClock): object {
  for (const customer of account.objects.all('customer', { fields: { test_clock: clock.id } })) {
    endSubscriptionsOf(account, customer.id);
    account.objects.remove('customer', customer.id);
    account.objects.put('deleted_customer', { id: customer.id, object: 'customer', deleted: true });
  }
  account.objects.remove('test_clock', clock.id);
  account.emit('test_helpers.test_clock.deleted', clock);
  return { id: clock.id, object: 'test_helpers.test_clock', deleted: true };
}

/** Time. `POST /_emulator/advance` takes `to` (unix seconds) or `seconds`. */
export const timeRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/_emulator/advance',
    parameters: z.strictObject({
      to: integer({ min: 0 }).optional(),
      seconds: integer({ min: 0 }).optional(),
    }),
    handle(account, { parameters }) {
      const from = account.clock.nowSec();
      const to = parameters.to ?? from + (parameters.seconds ?? 0);
      if (to < from) throw new ApiError('Time can only be moved on.', { param: 'to' });
      const performed = advanceTo(account, to);
      return { object: 'emulator.advance', from, now: account.clock.nowSec(), performed };
    },
  }),
  route({
    method: 'post',
    path: '/v1/test_helpers/test_clocks',
    parameters: z.strictObject({ frozen_time: integer({ min: 0 }), name: text({ max: 300 }).optional() }),
    handle: (account, { parameters }) => createClock(account, parameters.frozen_time, parameters.name),
  }),
  route({
    method: 'get',
    path: '/v1/test_helpers/test_clocks',
    parameters: z.strictObject(pageParameters),
    handle: (account, request) => listObjects(account, 'test_clock', request, {}),
  }),
  route({
    method: 'get',
    path: '/v1/test_helpers/test_clocks/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => clockById(account, path.id),
  }),
  route({
    method: 'post',
    path: '/v1/test_helpers/test_clocks/:id/advance',
    parameters: z.strictObject({ frozen_time: integer({ min: 0 }) }),
    handle: (account, { path, parameters }) =>
      advanceClock(account, clockById(account, path.id), parameters.frozen_time),
  }),
  route({
    method: 'delete',
    path: '/v1/test_helpers/test_clocks/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => deleteClock(account, clockById(account, path.id)),
  }),
];
