/** What is done about a message from Stripe: whatever it names is read again and written down. */

import { provisionCheckout } from './customers/provision.js';
import { syncNamedCustomer } from './customers/sync.js';
import { rejectDeliveries } from './delivery/reject-deliveries.js';
import { findUninvoiced } from './delivery/uninvoiced.js';
import type { Billing } from './domain/billing.js';
import type { Customer } from './domain/customer.js';
import type { Store } from './domain/store.js';
import { isLive, type Subscription, statuses } from './domain/subscription.js';
import type { Host } from './lib/host.js';
import { rfc3339 } from './lib/rfc3339.js';
import type { EventTarget } from './webhooks/event-target.js';

/** As far back as Stripe bills usage (stripe-facts 3a). */
const latelyMs = 35 * 86_400_000;

/** Makes what acts on messages. It may be called for the same target as often as anybody likes. */
export function createEventApplier(deps: {
  store: Store;
  billing: Billing;
  host: Host;
  /** The meter's event name. */
  meter: string;
}): (target: EventTarget) => Promise<void> {
  const { store, host } = deps;
  const warnedOf = new Set<string>();
  const toldOf = new Set<string>();

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

  /** Whoever cancels at Stripe, at once and without an invoice, should learn of what that costs while he remembers it. */
  async function tellUninvoiced(customer: Customer): Promise<void> {
    const nowMs = host.clock.nowMs();
    const lately = { startMs: nowMs - latelyMs, endMs: nowMs };
    for (const { startMs, endMs, ledger } of await findUninvoiced(deps, customer, lately)) {
      const name = `${customer.id} ${endMs}`;
      if (toldOf.has(name)) continue;
      toldOf.add(name);
      const span = { customer: customer.id, from: rfc3339(startMs), to: rfc3339(endMs), units: ledger };
      host.log.error(
        'a subscription has ended without a final invoice that stands, so Stripe bills this usage nowhere: see meterctl reconcile',
        span,
      );
    }
  }

  async function applyToCustomer(customerId: string, subscriptionId?: string): Promise<void> {
    const customer = await syncNamedCustomer(deps, customerId, subscriptionId);
    if (!customer) return;
    for (const subscription of customer.subscriptions) warnOfUnknown(subscription);
    warnOfSeveral(customer);
    // A period or the subscription may just have ended: what was used must reach Stripe while the invoice is a draft.
    await store.freezeDeliveries(host.clock.nowMs(), { customerId });
    await tellUninvoiced(customer);
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
