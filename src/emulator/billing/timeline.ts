/** Which time it is for whom: customers on a test clock live on its time, everybody else on the account's. */

import type { Account } from '../account.js';

/** Seconds now for objects of `testClock`; `null` is the account itself. Stripe: stripe-facts 9. */
export function timeOf(account: Account, testClock: string | null | undefined): number {
  const clock = testClock ? account.objects.get('test_clock', testClock) : undefined;
  return clock?.frozen_time ?? account.clock.nowSec();
}

/** Seconds in an hour, a day. */
export const hourSec = 3600;
export const daySec = 86_400;
