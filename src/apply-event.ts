/** What is done about a message from Stripe: whatever it names is read again and written down. */

import { provisionCheckout } from './customers/provision.js';
import { syncNamedCustomer } from './customers/sync.js';
import { rejectDeliveries } from './delivery/reject-deliveries.js';
import type { Billing } from './domain/billing.js';
import type { Customer } from './domain/customer.js';
import type { Store } from './domain/store.js';
import { isLive, type Subscription, statuses } from './domain/subscription.js';
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

  function warnOnce(about: string, message: string, fields: Record<string, string>): void {
    if (warnedOf.has(about)) return;
    warnedOf.add(about);
    host.log.warn(message, fields);
  }

  /** Stripe may add words; they give no access until somebody has decided what they mean. */
  function warnOfUnknown({ id, status }: Subscription): void {
    if (statuses.has(status)) return;
    const message = 'a subscription has a status that is not known here, so it gives no access';
    warnOnce(status, message, { status, subscription: id });
  }

  /** A second order is cancelled where it is fulfilled. Any other subscription is somebody's decision, or mistake. */
  function warnOfSeveral({ id, subscriptions }: Customer): void {
    const live = subscriptions.filter(isLive).map((subscription) => subscription.id);
    if (live.length < 2) return;
    const message =
      'a customer has several live subscriptions, and Stripe bills the same usage on each of them';
    warnOnce(live.join(' '), message, { customer: id, subscriptions: live.join(' ') });
  }

  async function applyToCustomer(customerId: string, subscriptionId?: string): Promise<void> {
    const customer = await syncNamedCustomer(deps, customerId, subscriptionId);
    if (!customer) return;
    for (const subscription of customer.subscriptions) warnOfUnknown(subscription);
    warnOfSeveral(customer);
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
