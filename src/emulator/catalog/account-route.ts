/** `GET /v1/account`: whose keys these are. */

import type Stripe from 'stripe';
import { z } from 'zod';
import { type Route, route } from '../router.js';
import type { Wire } from '../wire.js';

/** The account of the key. */
export const accountRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/account',
    parameters: z.strictObject({}),
    handle(account): Wire<Stripe.Account> {
      return {
        id: account.id,
        object: 'account',
        business_type: 'company',
        charges_enabled: true,
        country: 'US',
        default_currency: 'usd',
        details_submitted: true,
        email: 'owner@example.com',
        metadata: {},
        payouts_enabled: true,
        type: 'standard',
      };
    },
  }),
];
