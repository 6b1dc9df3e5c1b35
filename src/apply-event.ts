/** What is done about a message from Stripe: whatever it names is read again and written down. */

import { provisionCheckout } from './customers/provision.js';
import { syncNamedCustomer } from './customers/sync.js';
import { rejectDeliveries } from './delivery/reject-deliveries.js';
import type { Billing } from './domain/billing.js';
import type { Store } from './domain/store.js';
import { type Subscription, statuses } from './domain/subscription.js';
import type { Host } from './lib/host.js';
import type { EventTarget } from './webhooks/event-target.js';

/** Makes what acts on messages. It may be called for the same target as often as anybody likes. */
export function createEventApplier(deps: {
  store: Store;
  billing: Billing;
  host: Host;
}): (target: EventTarget) => Promise<void> {
  const { store, host } = deps;
  const warnedOf = new Set<string>();

  /** Stripe may add words; they give no access until somebody has decided what they mean. */
  function warnOfUnknown({ id, status }: Subscription): void {
    if (statuses.has(status) || warnedOf.has(status)) return;
    warnedOf.add(status);
    host.log.warn('a subscription has a status that is not known here, so it gives no access', {
      ...{ status, subscription: id },
    });
  }

  async function applyToCustomer(customerId: string, subscriptionId?: string): Promise<void> {
    const customer = await syncNamedCustomer(deps, customerId, subscriptionId);
    if (!customer) return;
    for (const subscription of customer.subscriptions) warnOfUnknown(subscription);
    // A period or the subscription may just have ended: what was used must reach Stripe while the invoice is a draft.
    await store.freezeDeliveries(host.clock.nowMs(), { customerId });
  }

  return async (target) => {
    switch (target.kind) {
      case 'customer':
        return applyToCustomer(target.customerId, target.subscriptionId);
      case 'checkout':
        await provisionCheckout(deps, target.sessionId, target.failed);
        return;
      case 'meter_rejections':
        return rejectDeliveries(deps, target.eventId);
      case 'none':
    }
  };
}
