/** A courier for one command. */

import { type Courier, createCourier } from '../delivery/courier.js';
import { createPeriodCheck } from '../delivery/period-check.js';
import type { Context } from './context.js';

/** A courier of this process. Leases keep it and the daemon's from sending the same thing. */
export async function openCourier(context: Context): Promise<Courier> {
  // Opening Stripe has made sure of the account already.
  const billing = await context.billing();
  const [store, host] = [await context.store(), await context.host()];
  return createCourier({
    store,
    billing,
    host,
    periodCheck: createPeriodCheck({ store, billing, clock: host.clock }),
    ratePerSecond: context.settings().delivery.ratePerSecond,
    verify: async () => undefined,
  });
}
