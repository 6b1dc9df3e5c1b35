/** A Checkout session, from the buyer's order to the key. */

/** What is remembered here about a session. */
export interface Checkout {
  /** `cs_…`. */
  sessionId: string;
  /** Known once the session is complete. */
  customerId: string | null;
  createdAtMs: number;
  /** When customer and subscription were stored here. */
  provisionedAtMs: number | null;
  /** When the buyer pressed for his key; it is shown that once. */
  claimedAtMs: number | null;
  keyId: string | null;
}

/** A session as Stripe tells it. */
export interface CheckoutSession {
  id: string;
  url: string | null;
  status: 'open' | 'complete' | 'expired';
  /** `unpaid`: a delayed payment method has not settled yet. */
  paymentStatus: string;
  customerId: string | null;
  subscriptionId: string | null;
  email: string | null;
}
