/** From a completed Checkout to a customer with access: one idempotent step that webhook and success page share. */

import type { CustomerBilling } from '../domain/billing.js';
import type { CheckoutStore, CustomerStore } from '../domain/store.js';
import type { Clock } from '../lib/host.js';
import { syncCustomer } from './sync.js';

/**
 * Where a session stands. `unknown`: Stripe has no such session, or it sold something else. `open`: not paid for yet.
 * `settling`: completed with a delayed payment method that has not settled. `ready`: the key can be made. `claimed`: it
 * was made.
 */
export type CheckoutProgress = 'unknown' | 'open' | 'expired' | 'settling' | 'ready' | 'claimed';

/** A metered subscription starts at $0, so its session is complete without a payment (stripe-facts 5). */
const settledPayments = new Set(['paid', 'no_payment_required']);

/** Stores customer and subscription of a completed session. Throws `unavailable` when Stripe cannot be asked. */
export async function provisionCheckout(
  deps: { store: CustomerStore & CheckoutStore; billing: CustomerBilling; clock: Clock },
  sessionId: string,
): Promise<CheckoutProgress> {
  const known = await deps.store.findCheckout(sessionId);
  if (known?.claimedAtMs != null) return 'claimed';
  if (known?.provisionedAtMs != null) return 'ready';
  const session = await deps.billing.findCheckoutSession(sessionId);
  if (!session) return 'unknown';
  if (session.status !== 'complete') return session.status;
  if (!settledPayments.has(session.paymentStatus)) return 'settling';
  if (session.customerId === null || session.subscriptionId === null) return 'unknown';
  if (!(await deps.billing.findSubscription(session.subscriptionId))) return 'unknown';
  await syncCustomer(deps, session.customerId);
  await deps.store.recordProvisioned(sessionId, session.customerId, deps.clock.nowMs());
  return 'ready';
}
