/** `/v1/checkout/sessions`: subscriptions through the hosted page. Stripe: stripe-facts 5. */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, exclusive, missing, noSuch, notFound } from '../api-error.js';
import { listObjects, listRows, pageParameters } from '../pagination.js';
import { createdRange, flag, integer, mergeMetadata, metadata, oneOf, text } from '../parameters.js';
import { type Route, route } from '../router.js';
import { expireSession } from './checkout-completion.js';
import { type CheckoutItem, type CheckoutSession, sessionDocument } from './checkout-session.js';
import { itemsMax } from './subscription.js';
import { trialSettings } from './subscription-parameters.js';
import { daySec, hourSec } from './timeline.js';
import { url } from './url-parameter.js';

/** How long a session may live, seconds. */
const lifetimeSec = { min: hourSec / 2, max: daySec };

const enabled = z.strictObject({ enabled: flag() }).optional();

const createParameters = z.strictObject({
  adaptive_pricing: enabled,
  allow_promotion_codes: flag().optional(),
  allowed_payment_method_types: z.array(text()).optional(),
  automatic_tax: enabled,
  billing_address_collection: oneOf(['auto', 'required']).optional(),
  cancel_url: url().optional(),
  client_reference_id: text({ max: 200 }).optional(),
  customer: text().optional(),
  customer_email: text({ max: 512 }).optional(),
  excluded_payment_method_types: z.array(text()).optional(),
  expires_at: integer({ min: 0 }).optional(),
  line_items: z
    .array(z.strictObject({ price: text().optional(), quantity: integer({ min: 1 }).optional() }))
    .optional(),
  locale: text().optional(),
  metadata: metadata().optional(),
  mode: oneOf(['payment', 'setup', 'subscription']),
  payment_method_collection: oneOf(['always', 'if_required']).default('always'),
  phone_number_collection: enabled,
  subscription_data: z
    .strictObject({
      billing_cycle_anchor: integer({ min: 0 }).optional(),
      billing_mode: z.strictObject({ type: oneOf(['flexible']) }).optional(),
      description: text({ max: 500 }).optional(),
      metadata: z.record(z.string().max(40), z.string().max(500)).optional(),
      trial_end: integer({ min: 0 }).optional(),
      trial_period_days: integer({ min: 1, max: 730 }).optional(),
      trial_settings: trialSettings.optional(),
    })
    .default({}),
  success_url: url().optional(),
  tax_id_collection: enabled,
  ui_mode: oneOf(['elements', 'embedded_page', 'form', 'hosted_page']).default('hosted_page'),
});

type NewSession = z.output<typeof createParameters>;

function create(account: Account, asked: NewSession): CheckoutSession {
  checkCombination(asked);
  const { customer, customer_email: email, success_url: successUrl } = asked;
  if (customer !== undefined && email !== undefined) throw exclusive('customer', 'customer_email');
  if (customer !== undefined && !account.objects.get('customer', customer)) {
    throw noSuch('customer', customer, 'customer');
  }
  if (successUrl === undefined) throw missing('success_url');
  const now = account.clock.nowSec();
  const { billing_mode: _flexible, ...terms } = asked.subscription_data;
  const session = sessionDocument(account, {
    id: account.newId('cs_test'),
    cancel_url: asked.cancel_url ?? null,
    client_reference_id: asked.client_reference_id ?? null,
    created: now,
    customer: customer ?? null,
    customer_email: email ?? null,
    expires_at: expiryOf(asked.expires_at, now),
    items: itemsOf(account, asked),
    locale: asked.locale ?? null,
    metadata: mergeMetadata({}, asked.metadata),
    payment_method_collection: asked.payment_method_collection,
    subscription_data: terms,
    success_url: successUrl,
  });
  return account.objects.put('checkout_session', session);
}

/** What this Stripe leaves out is said, never passed over. */
function checkCombination(asked: NewSession): void {
  if (asked.mode !== 'subscription') {
    throw new ApiError(
      `The embedded Stripe supports Checkout in \`subscription\` mode only, not \`${asked.mode}\`.`,
      {
        param: 'mode',
      },
    );
  }
  if (asked.ui_mode !== 'hosted_page') {
    throw new ApiError(
      `The embedded Stripe supports \`ui_mode=hosted_page\` only, not \`${asked.ui_mode}\`.`,
      {
        param: 'ui_mode',
      },
    );
  }
  const { trial_end: end, trial_period_days: days } = asked.subscription_data;
  if (end !== undefined && days !== undefined) {
    throw exclusive('subscription_data[trial_end]', 'subscription_data[trial_period_days]');
  }
}

function itemsOf(account: Account, asked: NewSession): CheckoutItem[] {
  const { line_items: lines = [] } = asked;
  if (lines.length === 0) throw missing('line_items');
  const items = lines.map(({ price: id, quantity }, index): CheckoutItem => {
    const param = `line_items[${index}]`;
    if (id === undefined) throw missing(`${param}[price]`);
    const price = account.objects.get('price', id);
    if (!price) throw noSuch('price', id, `${param}[price]`);
    if (!price.active) {
      throw new ApiError('The price specified is inactive. This field only accepts active prices.', {
        param: `${param}[price]`,
      });
    }
    const metered = price.recurring?.usage_type === 'metered';
    if (metered && quantity !== undefined) {
      throw new ApiError(
        `Quantity should not be specified where usage_type is \`metered\`. Remove quantity from \`${param}\``,
        { param: `${param}[quantity]` },
      );
    }
    if (!metered && quantity === undefined) {
      throw new ApiError(`Quantity is required. Add \`quantity\` to \`${param}\``, {
        param: `${param}[quantity]`,
      });
    }
    return { price, quantity };
  });
  checkItems(items);
  return items;
}

function checkItems(items: CheckoutItem[]): void {
  if (items.some(({ price }) => price.recurring === null)) {
    throw new ApiError('The embedded Stripe supports recurring prices only in Checkout.', {
      param: 'line_items',
    });
  }
  if (items.length > itemsMax) {
    throw new ApiError(`You may only specify up to ${itemsMax} recurring line items.`, {
      param: 'line_items',
    });
  }
  if (new Set(items.map(({ price }) => price.currency)).size > 1) {
    throw new ApiError('All prices on a Checkout Session must be in the same currency.', {
      param: 'line_items',
    });
  }
}

function expiryOf(asked: number | undefined, now: number): number {
  if (asked === undefined) return now + lifetimeSec.max;
  if (asked < now + lifetimeSec.min) {
    throw new ApiError(
      'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.',
      {
        param: 'expires_at',
      },
    );
  }
  if (asked > now + lifetimeSec.max) {
    throw new ApiError(
      'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.',
      {
        param: 'expires_at',
      },
    );
  }
  return asked;
}

function sessionById(account: Account, id: string): CheckoutSession {
  const session = account.objects.get('checkout_session', id);
  if (!session) throw notFound('checkout_session', id);
  return session;
}

/** Checkout sessions. */
export const checkoutRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/checkout/sessions',
    parameters: createParameters,
    handle: (account, { parameters }) => create(account, parameters),
  }),
  route({
    method: 'get',
    path: '/v1/checkout/sessions',
    parameters: z.strictObject({
      ...pageParameters,
      created: createdRange().optional(),
      customer: text().optional(),
      status: oneOf(['complete', 'expired', 'open']).optional(),
      subscription: text().optional(),
    }),
    handle(account, request) {
      const { created, customer, status, subscription } = request.parameters;
      return listObjects(account, 'checkout_session', request, {
        created,
        fields: { customer, status, subscription },
      });
    },
  }),
  route({
    method: 'get',
    path: '/v1/checkout/sessions/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => sessionById(account, path.id),
  }),
  route({
    method: 'get',
    path: '/v1/checkout/sessions/:id/line_items',
    parameters: z.strictObject(pageParameters),
    handle: (account, request) =>
      listRows(sessionById(account, request.path.id).line_items?.data ?? [], request),
  }),
  route({
    method: 'post',
    path: '/v1/checkout/sessions/:id/expire',
    parameters: z.strictObject({}),
    handle(account, { path }) {
      const session = sessionById(account, path.id);
      if (session.status === 'open') return expireSession(account, session);
      throw new ApiError(
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
      );
    },
  }),
];
