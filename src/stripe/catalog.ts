/** Meter, product, price, webhook registrations and portal configuration. */

import Stripe from 'stripe';
import type { CatalogBilling, NewPrice } from '../domain/billing.js';
import type { Meter, Price, Product } from '../domain/catalog.js';
import { MeterctlError } from '../domain/error.js';
import { asking, finding, isMissing } from './errors.js';
import { intervalOf } from './subscriptions.js';
import { createWebhookEndpoints } from './webhook-endpoints.js';

/** Repeating a read, or a create under the same Idempotency-Key, is harmless. */
const maxNetworkRetries = 2;

/** The catalog through this client. */
export function createCatalog(stripe: Stripe): CatalogBilling {
  return {
    ...createWebhookEndpoints(stripe),

    async findAccountId() {
      try {
        return (await stripe.accounts.retrieveCurrent({}, { maxNetworkRetries })).id;
      } catch (error) {
        // A restricted key may not ask, and not every implementation answers: the meter's id tells accounts apart too.
        if (isMissing(error) || error instanceof Stripe.errors.StripePermissionError) return undefined;
        return asking('read the account', () => Promise.reject(error));
      }
    },

    findMeter: (eventName) =>
      asking('list the meters', async () => {
        for (const status of ['active', 'inactive'] as const) {
          for await (const meter of stripe.billing.meters.list(
            { status, limit: 100 },
            { maxNetworkRetries },
          )) {
            if (meter.event_name === eventName) return meterOf(meter);
          }
        }
        return undefined;
      }),

    findMeterById: (id) =>
      finding('read the meter', async () =>
        meterOf(await stripe.billing.meters.retrieve(id, {}, { maxNetworkRetries })),
      ),

    addMeter: ({ eventName, displayName }, attempt) =>
      asking('create the meter', async () =>
        meterOf(
          await stripe.billing.meters.create(
            { event_name: eventName, display_name: displayName, default_aggregation: { formula: 'sum' } },
            { idempotencyKey: attempt, maxNetworkRetries },
          ),
        ),
      ),

    reactivateMeter: (id) =>
      asking('reactivate the meter', async () => meterOf(await stripe.billing.meters.reactivate(id))),

    findProduct: (id) =>
      finding('read the product', async () =>
        productOf(await stripe.products.retrieve(id, {}, { maxNetworkRetries })),
      ),

    addProduct: ({ id, name, unitLabel }, attempt) =>
      asking('create the product', async () =>
        productOf(
          await stripe.products.create(
            { id, name, unit_label: unitLabel },
            { idempotencyKey: attempt, maxNetworkRetries },
          ),
        ),
      ),

    findPrice: (lookupKey) =>
      asking('look the price up', async () => {
        const found = await stripe.prices.list(
          { lookup_keys: [lookupKey], limit: 1, expand: ['data.tiers'] },
          { maxNetworkRetries },
        );
        return found.data[0] ? priceOf(found.data[0]) : undefined;
      }),

    addPrice: (price, attempt) =>
      asking('create the price', async () =>
        priceOf(await stripe.prices.create(paramsOf(price), { idempotencyKey: attempt, maxNetworkRetries })),
      ),

    findPortalConfiguration: () =>
      asking('list the portal configurations', async () => {
        const found = await stripe.billingPortal.configurations.list(
          { active: true, limit: 1 },
          { maxNetworkRetries },
        );
        return found.data[0]?.id;
      }),

    addPortalConfiguration: (attempt) =>
      asking('create the portal configuration', async () => {
        const { id } = await stripe.billingPortal.configurations.create(
          {
            features: {
              invoice_history: { enabled: true },
              payment_method_update: { enabled: true },
              customer_update: { enabled: true, allowed_updates: ['email', 'address', 'tax_id'] },
              subscription_cancel: { enabled: true, mode: 'at_period_end' },
            },
          },
          { idempotencyKey: attempt, maxNetworkRetries },
        );
        return id;
      }),
  };
}

function paramsOf(price: NewPrice): Stripe.PriceCreateParams {
  return {
    lookup_key: price.lookupKey,
    product: price.productId,
    currency: price.currency,
    billing_scheme: 'per_unit',
    unit_amount_decimal: Stripe.Decimal.from(price.unitAmountMinor),
    recurring: { interval: price.interval, usage_type: 'metered', meter: price.meterId },
  };
}

function meterOf(meter: Stripe.Billing.Meter): Meter {
  return {
    id: meter.id,
    eventName: meter.event_name,
    displayName: meter.display_name,
    active: meter.status === 'active',
    formula: meter.default_aggregation.formula,
    customerPayloadKey: meter.customer_mapping.event_payload_key,
    valuePayloadKey: meter.value_settings.event_payload_key,
    eventTimeWindow: meter.event_time_window,
  };
}

function productOf(product: Stripe.Product): Product {
  return {
    id: product.id,
    name: product.name,
    unitLabel: product.unit_label ?? null,
    active: product.active,
  };
}

function priceOf(price: Stripe.Price): Price {
  const { recurring } = price;
  if (!recurring) {
    throw new MeterctlError(
      'conflict',
      `Stripe's price ${price.id} is not recurring, so it cannot be metered.`,
    );
  }
  return {
    id: price.id,
    lookupKey: price.lookup_key,
    productId: typeof price.product === 'string' ? price.product : price.product.id,
    meterId: recurring.meter ?? null,
    active: price.active,
    currency: price.currency,
    interval: intervalOf(recurring.interval),
    intervalCount: recurring.interval_count,
    unitAmountMinor: price.unit_amount_decimal?.toString() ?? price.unit_amount?.toString() ?? null,
    tiersMode: (['graduated', 'volume'] as const).find((mode) => mode === price.tiers_mode) ?? null,
    tiers: (price.tiers ?? []).map((tier) => ({
      upTo: tier.up_to,
      unitAmountMinor: tier.unit_amount_decimal?.toString() ?? tier.unit_amount?.toString() ?? null,
      flatAmountMinor: tier.flat_amount_decimal?.toString() ?? tier.flat_amount?.toString() ?? null,
    })),
  };
}
