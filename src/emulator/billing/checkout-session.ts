/** Checkout sessions as documents, and what follows from their line items. */

import { decimal } from '../../lib/decimal.js';
import { chargesFor, totalMinor } from '../../lib/pricing.js';
import type { Account } from '../account.js';
import type { Stored } from '../object-kinds.js';

/** A stored session. Its `line_items` are inside and show only when asked for. */
export type CheckoutSession = Stored<'checkout_session'>;

/** What the session says of the subscription to be: its `subscription_data`, times in seconds. */
export interface SubscriptionTerms {
  billing_cycle_anchor?: number | undefined;
  description?: string | undefined;
  metadata?: Record<string, string> | undefined;
  trial_end?: number | undefined;
  trial_period_days?: number | undefined;
  trial_settings?:
    | { end_behavior: { missing_payment_method: 'cancel' | 'create_invoice' | 'pause' } }
    | undefined;
}

/** What is stored with a session beside the fields that Stripe's type knows; the expansions hide it. */
interface HiddenFields {
  subscription_data: SubscriptionTerms;
  /** When the bank will have answered, seconds; only while a debit is on its way. */
  settles_at?: number | undefined;
}

/** The terms of the subscription to be. Stripe never shows them again. */
export function termsOf(session: CheckoutSession): SubscriptionTerms {
  return hiddenIn(session).subscription_data;
}

/** When the bank will have answered, seconds; undefined when nothing is on its way. */
export function settlesAt(session: CheckoutSession): number | undefined {
  return hiddenIn(session).settles_at;
}

/** The session, with a debit on its way until then, or none any more. */
export function withSettlement(session: CheckoutSession, atSec: number | undefined): CheckoutSession {
  const hidden: HiddenFields = { ...hiddenIn(session), settles_at: atSec };
  return { ...session, ...hidden };
}

/** Every stored session was made by sessionDocument, which puts these fields there. */
function hiddenIn(session: CheckoutSession): HiddenFields {
  return session as CheckoutSession & HiddenFields;
}

/** An item to buy. */
export interface CheckoutItem {
  price: Stored<'price'>;
  quantity: number | undefined;
}

/** What differs from one session to the next. */
export type SessionFacts = Pick<
  CheckoutSession,
  | 'cancel_url'
  | 'client_reference_id'
  | 'created'
  | 'customer'
  | 'customer_email'
  | 'expires_at'
  | 'id'
  | 'locale'
  | 'metadata'
  | 'payment_method_collection'
  | 'success_url'
> & { items: CheckoutItem[]; subscription_data: SubscriptionTerms };

/** What is the same on every new session. */
const blank = {
  object: 'checkout.session',
  adaptive_pricing: { enabled: false },
  after_expiration: null,
  allow_promotion_codes: null,
  allowed_payment_method_types: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: {
    after_submit: null,
    shipping_address: null,
    submit: null,
    terms_of_service_acceptance: null,
  },
  customer_account: null,
  customer_details: null,
  discounts: [],
  integration_identifier: null,
  invoice: null,
  invoice_creation: null,
  livemode: false,
  managed_payments: null,
  mode: 'subscription',
  origin_context: null,
  payment_intent: null,
  payment_link: null,
  payment_method_configuration_details: null,
  payment_method_options: {},
  payment_method_types: ['card', 'us_bank_account'],
  payment_status: 'unpaid',
  permissions: null,
  phone_number_collection: { enabled: false },
  recovered_from: null,
  saved_payment_method_options: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  status: 'open',
  submit_type: null,
  subscription: null,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: 'hosted_page',
  wallet_options: null,
} satisfies Partial<CheckoutSession>;

/** A new, open session with every field it has today (API 2026-10-28.endive). Stripe: stripe-facts 5. */
export function sessionDocument(account: Account, facts: SessionFacts): CheckoutSession {
  const { items, ...fields } = facts;
  const { trial_end: trialEnd, trial_period_days: trialDays } = facts.subscription_data;
  const trial = trialEnd !== undefined || trialDays !== undefined;
  const total = trial ? 0 : items.reduce((sum, item) => sum + dueNow(item), 0);
  return {
    ...blank,
    ...fields,
    amount_subtotal: total,
    amount_total: total,
    currency: items[0]?.price.currency ?? null,
    customer_creation: facts.customer === null ? 'always' : null,
    line_items: {
      object: 'list',
      data: items.map((item) => lineItem(account, item, trial)),
      has_more: false,
      url: `/v1/checkout/sessions/${facts.id}/line_items`,
    },
    url: `${account.baseUrl()}/c/pay/${facts.id}`,
  };
}

/** What an item costs at once, in minor units: usage costs nothing yet. */
export function dueNow({ price, quantity }: CheckoutItem): number {
  if (price.recurring?.usage_type === 'metered') return 0;
  return totalMinor(chargesFor(price, decimal(quantity ?? 1)));
}

function lineItem(
  account: Account,
  item: CheckoutItem,
  trial: boolean,
): NonNullable<CheckoutSession['line_items']>['data'][number] {
  const amount = trial ? 0 : dueNow(item);
  const { price } = item;
  return {
    id: account.newId('li'),
    object: 'item',
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: price.currency,
    description: account.objects.get('product', price.product)?.name ?? null,
    metadata: {},
    price,
    quantity: item.quantity ?? null,
  };
}
