/** From a completed Checkout to a customer with access: one idempotent step that webhook and success page share. */

import type { CustomerBilling } from '../domain/billing.js';
import type { Customer } from '../domain/customer.js';
import type { CheckoutStore, CustomerStore } from '../domain/store.js';
import { isLive, isOlder, type Subscription } from '../domain/subscription.js';
import type { Host } from '../lib/host.js';
import { syncCustomer } from './sync.js';

/**
 * Where a session stands. `unknown`: Stripe has no such session, or it sold something else. `open`: not paid for yet.
 * `settling`: completed with a delayed payment method that has not settled. `failed`: that payment failed, and the
 * subscription ended with it. `duplicate`: the customer was subscribed already, so this subscription was cancelled.
 * `ready`: the key can be made. `claimed`: it was made.
 */
export type CheckoutProgress =
  | 'unknown'
  | 'open'
  | 'expired'
  | 'settling'
  | 'failed'
  | 'duplicate'
  | 'ready'
  | 'claimed';

/** What provisioning needs. */
interface ProvisionDeps {
  store: CustomerStore & CheckoutStore;
  billing: CustomerBilling;
  host: Pick<Host, 'clock' | 'log'>;
}

/** A metered subscription starts at $0, so its session is complete without a payment (stripe-facts 5). */
const settledPayments = new Set(['paid', 'no_payment_required']);

/**
 * Stores customer and subscription of a completed session. `failed` when Stripe has said that its delayed payment failed,
 * which the session itself does not tell. May run any number of times, also at once in several processes. Throws
 * `unavailable` when Stripe cannot be asked.
 */
export async function provisionCheckout(
  deps: ProvisionDeps,
  sessionId: string,
  failed = false,
): Promise<CheckoutProgress> {
  const { store, billing } = deps;
  const known = await store.findCheckout(sessionId);
  if (known?.claimedAtMs != null) return 'claimed';
  if (known?.provisionedAtMs != null) return 'ready';
  const session = await billing.findCheckoutSession(sessionId);
  if (!session) return 'unknown';
  if (session.status !== 'complete') return session.status;
  if (session.customerId === null || session.subscriptionId === null) return 'unknown';
  const bought = await billing.findSubscription(session.subscriptionId);
  if (!bought) return 'unknown';
  if (!settledPayments.has(session.paymentStatus)) return settle(deps, bought, failed);
  const customer = await syncCustomer(deps, session.customerId, bought.id);
  const kept = await keepOne(deps, customer, bought.id);
  if (kept && kept.id !== bought.id) return 'duplicate';
  await store.recordProvisioned(sessionId, session.customerId, deps.host.clock.nowMs());
  return 'ready';
}

/** Without the payment there is no subscription. What a returning customer used meanwhile is still owed. */
async function settle(
  deps: ProvisionDeps,
  bought: Subscription,
  failed: boolean,
): Promise<'settling' | 'failed'> {
  if (isLive(bought)) {
    if (!failed) return 'settling';
    await deps.billing.cancelSubscription(bought.id, { invoice: true, comment: 'The first payment failed.' });
    await syncCustomer(deps, bought.customerId, bought.id);
    deps.host.log.warn('a subscription was cancelled because its first payment failed', {
      ...{ customer: bought.customerId, subscription: bought.id },
    });
  }
  return 'failed';
}

/**
 * Stripe bills the usage of a customer on each of his live subscriptions with our meter (stripe-facts 2), so the oldest stays
 * and the others go, also one that was provisioned before the older one came to be known. Returns the one that stays. An order
 * whose own subscription has ended changes nothing any more, however often somebody looks at it.
 */
async function keepOne(
  deps: ProvisionDeps,
  { subscriptions }: Customer,
  boughtId: string,
): Promise<Subscription | undefined> {
  const live = subscriptions.filter(isLive);
  const kept = live.find((one) => live.every((other) => other === one || isOlder(one, other)));
  if (!kept || !live.some(({ id }) => id === boughtId)) return kept;
  for (const double of live) if (double !== kept) await cancelDouble(deps, double, kept);
  return kept;
}

/** Nothing was used on it, or else it was used on the other one as well: it ends without an invoice. */
async function cancelDouble(deps: ProvisionDeps, double: Subscription, kept: Subscription): Promise<void> {
  const comment = `Bought twice: ${kept.id} is billed.`;
  await deps.billing.cancelSubscription(double.id, { invoice: false, comment });
  await syncCustomer(deps, double.customerId, double.id);
  deps.host.log.warn('a second subscription of a customer was cancelled, so that nothing is billed twice', {
    ...{ customer: double.customerId, cancelled: double.id, kept: kept.id },
  });
}
