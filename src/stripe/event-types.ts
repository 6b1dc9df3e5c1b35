/** The events that meterctl acts on (stripe-facts 6). */

import type Stripe from 'stripe';

/** With the object inside; at most 20 may be listed at once. */
export const snapshotEvents = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'checkout.session.expired',
  'customer.updated',
  'customer.deleted',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'invoice.created',
  'invoice.finalized',
  'invoice.finalization_failed',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.upcoming',
  'billing.meter.deactivated',
] as const satisfies Stripe.WebhookEndpointCreateParams.EnabledEvent[];

/** Usage that Stripe refuses after it has answered 200 is told in thin events only (stripe-facts 3d). */
export const thinEvents = [
  'v1.billing.meter.error_report_triggered',
  'v1.billing.meter.no_meter_found',
] as const;
