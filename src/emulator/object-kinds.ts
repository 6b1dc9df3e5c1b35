/** Every kind of object the emulator stores, with the SDK's type for it, so that drift fails the compiler. */

import type Stripe from 'stripe';
import type { Wire } from './wire.js';

/** The SDK's type of each stored kind. */
interface SdkTypes {
  checkout_session: Stripe.Checkout.Session;
  customer: Stripe.Customer;
  deleted_customer: Stripe.DeletedCustomer;
  event: Stripe.EventBase;
  event_destination: Stripe.V2.Core.EventDestination;
  invoice: Stripe.Invoice;
  invoice_item: Stripe.InvoiceItem;
  meter: Stripe.Billing.Meter;
  meter_event_session: Stripe.V2.Billing.MeterEventSession;
  payment_intent: Stripe.PaymentIntent;
  payment_method: Stripe.PaymentMethod;
  portal_configuration: Stripe.BillingPortal.Configuration;
  portal_session: Stripe.BillingPortal.Session;
  price: Stripe.Price;
  product: Stripe.Product;
  setup_intent: Stripe.SetupIntent;
  subscription: Stripe.Subscription;
  subscription_item: Stripe.SubscriptionItem;
  test_clock: Stripe.TestHelpers.TestClock;
  webhook_endpoint: Stripe.WebhookEndpoint;
}

/** A thin event as stored: what `GET /v2/core/events/:id` answers. `data` differs by type. */
export interface StoredThinEvent extends Wire<Stripe.V2.Core.EventBase> {
  related_object?: Stripe.V2.Core.Events.RelatedObject;
  data?: object;
}

/** A stored object of a kind, in wire form: `Stored<'price'>`. */
export type Stored<Kind extends ObjectKind> = ObjectKinds[Kind];

/** The stored form of each kind. */
type ObjectKinds = { [Kind in keyof SdkTypes]: Wire<SdkTypes[Kind]> } & {
  thin_event: StoredThinEvent;
};

/** The name of a kind: `'price'`, `'checkout_session'`, … */
export type ObjectKind = keyof ObjectKinds;

/** How Stripe names each kind in "No such price: 'x'". */
export const objectNames: Record<ObjectKind, string> = {
  checkout_session: 'checkout.session',
  customer: 'customer',
  deleted_customer: 'customer',
  event: 'event',
  event_destination: 'event destination',
  invoice: 'invoice',
  invoice_item: 'invoiceitem',
  meter: 'billing meter',
  meter_event_session: 'meter event session',
  payment_intent: 'payment_intent',
  payment_method: 'PaymentMethod',
  portal_configuration: 'configuration',
  portal_session: 'billing_portal session',
  price: 'price',
  product: 'product',
  setup_intent: 'setupintent',
  subscription: 'subscription',
  subscription_item: 'subscription_item',
  test_clock: 'test clock',
  thin_event: 'event',
  webhook_endpoint: 'webhook endpoint',
};
