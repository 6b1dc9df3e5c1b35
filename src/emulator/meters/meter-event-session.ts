/** `/v2/billing/meter_event_session`: short-lived tokens for the meter event stream (stripe-facts 3e). */

import type Stripe from 'stripe';
import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError } from '../api-error.js';
import { isoTime } from '../events/event-log.js';
import { type Route, route } from '../router.js';

/** Stripe: a token is valid for 15 minutes. */
const validSec = 15 * 60;

const expired = () =>
  new ApiError('The temporary session token has expired.', {
    status: 401,
    type: 'temporary_session_expired',
    code: 'billing_meter_event_session_expired',
  });

/** Checks the Bearer of a stream request. Throws 401. */
export function checkStreamToken(account: Account, token: string): void {
  const [session] = account.objects.all('meter_event_session', { fields: { authentication_token: token } });
  if (!session) throw new ApiError('Invalid authentication token.', { status: 401 });
  if (Date.parse(session.expires_at) <= account.clock.nowSec() * 1000) throw expired();
}

/** Sessions. */
export const meterEventSessionRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v2/billing/meter_event_session',
    parameters: z.strictObject({}),
    handle(account): Stripe.V2.Billing.MeterEventSession {
      const now = account.clock.nowSec();
      return account.objects.put('meter_event_session', {
        id: account.newId('mes_test'),
        object: 'v2.billing.meter_event_session',
        authentication_token: account.newId('mest_test'),
        created: isoTime(now),
        expires_at: isoTime(now + validSec),
        livemode: false,
      });
    },
  }),
];
