/** Taking a meter event back (stripe-facts 3b). */

import type { Account } from '../account.js';
import { ApiError } from '../api-error.js';

/** Stripe: "You can only cancel events within 24 hours of Stripe receiving them." */
const cancellableSec = 24 * 3600;

/** Cancels the event with this identifier. Throws when there is none, or it is too old, or already cancelled. */
export function cancelEvent(account: Account, eventName: string, identifier: string): void {
  const event = account.meterLedger.find(identifier, 0);
  const param = 'cancel[identifier]';
  if (!event || event.eventName !== eventName) {
    throw new ApiError(`No meter event found for event name "${eventName}" with identifier ${identifier}.`, {
      code: 'resource_missing',
      param,
    });
  }
  if (event.receivedSec < account.clock.nowSec() - cancellableSec) {
    throw new ApiError('You can only cancel events within 24 hours of Stripe receiving them.', { param });
  }
  if (event.state === 'cancelled') {
    throw new ApiError(`The event with identifier ${identifier} has already been cancelled.`, { param });
  }
  account.meterLedger.cancel(event.seq);
}
