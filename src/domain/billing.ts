/** What meterctl asks of Stripe, in its own words. One adapter implements it with the SDK; which server answers is only a base URL. */

import type { Interval } from '../lib/calendar.js';
import type { Meter, Price, Product, WebhookEndpoint } from './catalog.js';
import type { CheckoutSession } from './checkout.js';
import type { StripeCustomer } from './customer.js';
import type { BilledSpan, InvoicePreview } from './invoice.js';
import type { Page } from './page.js';
import type { Subscription } from './subscription.js';
import type { MeterRejectionReport, NewWebhook, WebhookKind } from './webhook.js';

/**
 * The catalog: what `init` finds or creates. Every `add` takes an `attempt`, a text that stays the same when an
 * interrupted bootstrap is run again, so that Stripe replays its first answer instead of creating twice.
 */
export interface CatalogBilling {
  /** The account behind the key; `undefined` where the key may not ask. */
  findAccountId(): Promise<string | undefined>;
  /** Looks among active and inactive meters. */
  findMeter(eventName: string): Promise<Meter | undefined>;
  findMeterById(id: string): Promise<Meter | undefined>;
  addMeter(meter: { eventName: string; displayName: string }, attempt: string): Promise<Meter>;
  reactivateMeter(id: string): Promise<Meter>;
  findProduct(id: string): Promise<Product | undefined>;
  addProduct(product: { id: string; name: string; unitLabel: string }, attempt: string): Promise<Product>;
  findPrice(lookupKey: string): Promise<Price | undefined>;
  findPriceById(id: string): Promise<Price | undefined>;
  addPrice(price: NewPrice, attempt: string): Promise<Price>;
  /**
   * Every registration of a kind for the URL, as far as Stripe's lists show them already. Throws `not_found` where there are
   * no registrations of this kind: a server may be without the v2 API.
   */
  listWebhookEndpoints(url: string, kind: WebhookKind): Promise<WebhookEndpoint[]>;
  findWebhookEndpoint(id: string, kind: WebhookKind): Promise<WebhookEndpoint | undefined>;
  addWebhookEndpoint(url: string, kind: WebhookKind, attempt: string): Promise<WebhookEndpoint>;
  /** The id of an active portal configuration. `madeIds` are looked at where the list shows none, which may lag. */
  findPortalConfiguration(madeIds: readonly string[]): Promise<string | undefined>;
  addPortalConfiguration(attempt: string): Promise<string>;
}

/** A metered per-unit price that is about to be created. */
export interface NewPrice {
  lookupKey: string;
  productId: string;
  meterId: string;
  currency: string;
  interval: Interval;
  /** Decimal string in minor units. */
  unitAmountMinor: string;
}

/** Customers, their subscriptions, Checkout and the portal. */
export interface CustomerBilling {
  findCustomer(id: string): Promise<StripeCustomer | undefined>;
  addCustomer(customer: { email: string; name: string | null }, attempt: string): Promise<StripeCustomer>;
  /** Subscribes at once, with invoices by mail that are due in 30 days. */
  addSubscription(customerId: string, priceId: string, attempt: string): Promise<Subscription>;
  /** Only what holds a metered price; `undefined` when there is no such subscription. */
  findSubscription(id: string): Promise<Subscription | undefined>;
  listSubscriptions(customerId: string): Promise<Subscription[]>;
  /**
   * Ends it now; one that has ended stays as it is. `invoice` bills what was used in the running period, which is dropped
   * otherwise (stripe-facts 8). The comment is for whoever looks at it in the Dashboard.
   */
  cancelSubscription(id: string, how: { invoice: boolean; comment: string }): Promise<void>;
  /** Lets it end with its running period, whose usage is billed as always. */
  cancelAtPeriodEnd(id: string): Promise<void>;
  addCheckoutSession(session: NewCheckoutSession, attempt: string): Promise<CheckoutSession>;
  findCheckoutSession(id: string): Promise<CheckoutSession | undefined>;
  /** A link into Stripe's own billing portal. */
  addPortalSession(customerId: string, returnUrl: string): Promise<string>;
}

/** Invoices of metered subscriptions. */
export interface InvoiceBilling {
  /** The coming invoice; `undefined` when Stripe has none to come. */
  findComingInvoice(customerId: string, subscriptionId: string): Promise<InvoicePreview | undefined>;
  /** What of our meter stands on the subscription's invoices that were made at `sinceMs` or later, under whatever price. */
  listBilledSpans(subscriptionId: string, sinceMs: number): Promise<BilledSpan[]>;
}

/** A Checkout session that is about to be created. */
export interface NewCheckoutSession {
  priceId: string;
  successUrl: string;
  cancelUrl: string;
  customerId?: string | undefined;
  email?: string | undefined;
}

/** One meter event. */
export interface MeterEvent {
  identifier: string;
  idempotencyKey: string;
  meter: string;
  customerId: string;
  units: number;
  timestampMs: number;
}

/** What Stripe answered to a meter event, or that it did not. */
export type MeterEventAnswer =
  | { kind: 'accepted' }
  /** Stripe has an event with this identifier already: it arrived before. */
  | { kind: 'duplicate' }
  | { kind: 'refused'; reason: string }
  /** 429, 409, 5xx, or no answer. `processed`: whether Stripe may have taken it all the same. */
  | {
      kind: 'retry';
      reason: string;
      processed: 'no' | 'unknown';
      /** A 5xx came as an answer, so Stripe would replay it under the same Idempotency-Key. */
      nextKey: boolean;
      retryAfterMs: number | null;
    }
  /** The key is refused or lacks a permission: nothing can be sent until somebody mends it. */
  | { kind: 'stopped'; reason: string };

/** The wish that Stripe takes one meter event back. */
export interface MeterEventCancellation {
  meter: string;
  /** Of the event. */
  identifier: string;
  idempotencyKey: string;
}

/** What Stripe answered to a cancellation; `duplicate` means that the event is cancelled already. */
export type CancellationAnswer =
  | MeterEventAnswer
  /** Stripe cancels only within 24 hours of receiving the event (stripe-facts 3b). */
  | { kind: 'too_late'; reason: string };

/** No answer within this time counts as none: the SDK's own default of 80 s would hold a lease or a person too long. */
export const answerMaxMs = 15_000;

/** Sending usage. */
export interface MeterEventBilling {
  /** Sends one event, once: no retry in here. Never throws for what Stripe or the network does. */
  sendMeterEvent(event: MeterEvent): Promise<MeterEventAnswer>;
  /** Asks once to cancel one event; the same manners. */
  cancelMeterEvent(cancellation: MeterEventCancellation): Promise<CancellationAnswer>;
}

/** What a meter counted for a customer in one span. */
export interface MeterSum {
  startMs: number;
  endMs: number;
  /** Whole, unless somebody else sent fractions. */
  units: number;
}

/**
 * What Stripe has counted, by the timestamps of events: `[fromMs, toMs)`. The counts follow what Stripe accepted with a
 * lag that it does not promise (stripe-facts 3f). Throws `not_found` for a customer or meter that Stripe does not have.
 */
export interface MeterSumBilling {
  /** Both times must lie on whole minutes. */
  sumMeterEvents(customerId: string, fromMs: number, toMs: number): Promise<number>;
  /** By hour, oldest first, without the hours in which nothing was counted; both times must lie on whole hours. */
  listMeterSums(customerId: string, fromMs: number, toMs: number): Promise<MeterSum[]>;
}

/** Which of Stripe's events are asked for. */
export interface EventsAsked {
  /** Stripe keeps a list of each kind. */
  kind: WebhookKind;
  /** Created at this time or later. */
  sinceMs: number;
  /** From the page before; without it the list begins. */
  cursor?: string | undefined;
}

/** Stripe's memory of what happened. */
export interface EventBilling {
  /** A page of the events that meterctl acts on, newest first; 30 days at most. No more than that page is held in memory. */
  listEvents(asked: EventsAsked): Promise<Page<NewWebhook>>;
  /** What a thin event says about usage that Stripe rejected after accepting it. */
  findMeterRejections(eventId: string): Promise<MeterRejectionReport | undefined>;
}

/** All of it. Unless said otherwise a call throws `unauthorized`, `unavailable`, `invalid` or `conflict`. */
export type Billing = CatalogBilling &
  CustomerBilling &
  InvoiceBilling &
  MeterEventBilling &
  MeterSumBilling &
  EventBilling;
