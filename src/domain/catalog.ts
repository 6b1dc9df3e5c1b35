/** What is sold: a meter, a product and its metered price. */

import type { Interval } from '../lib/calendar.js';
import type { PriceTerms } from '../lib/pricing.js';

/** A Stripe Billing Meter. */
export interface Meter {
  id: string;
  eventName: string;
  displayName: string;
  active: boolean;
  /** How Stripe adds events up; meterctl needs `sum`. */
  formula: string;
  customerPayloadKey: string;
  valuePayloadKey: string;
  /** Set when Stripe keeps only the latest event of each hour or day; meterctl needs it unset. */
  eventTimeWindow: string | null;
}

/** A Stripe product. */
export interface Product {
  id: string;
  name: string;
  unitLabel: string | null;
  active: boolean;
}

/** A metered Stripe price. */
export interface Price {
  id: string;
  lookupKey: string | null;
  productId: string;
  meterId: string | null;
  active: boolean;
  currency: string;
  interval: Interval;
  intervalCount: number;
  /** Decimal string in minor units (cents), up to 12 places; `null` when the price is tiered. */
  unitAmountMinor: string | null;
  tiersMode: 'graduated' | 'volume' | null;
  /** What any quantity costs. */
  terms: PriceTerms;
}

/** Under which mark a price's terms are kept here: they never change (stripe-facts 4), so Stripe is asked for them once. */
export function priceMark(priceId: string): string {
  return `price ${priceId}`;
}

/** A registered webhook endpoint, snapshot or thin. */
export interface WebhookEndpoint {
  id: string;
  kind: 'snapshot' | 'thin';
  url: string;
  enabled: boolean;
  apiVersion: string | null;
  enabledEvents: string[];
  /** Stripe shows it only in the answer that creates the endpoint. */
  secret: string | null;
}
