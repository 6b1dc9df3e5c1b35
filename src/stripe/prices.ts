/** Metered prices. */

import Stripe from 'stripe';
import type { CatalogBilling, NewPrice } from '../domain/billing.js';
import type { Price } from '../domain/catalog.js';
import { MeterctlError } from '../domain/error.js';
import type { PriceTerms } from '../lib/pricing.js';
import { repeatable } from './client.js';
import { asking, finding } from './errors.js';
import { intervalOf } from './subscriptions.js';

/** Prices through this client. */
export function createPrices(
  stripe: Stripe,
): Pick<CatalogBilling, 'findPrice' | 'findPriceById' | 'addPrice'> {
  return {
    findPrice: (lookupKey) =>
      asking('look the price up', async () => {
        const found = await stripe.prices.list(
          { lookup_keys: [lookupKey], limit: 1, expand: ['data.tiers'] },
          repeatable,
        );
        return found.data[0] ? priceOf(found.data[0]) : undefined;
      }),

    findPriceById: (id) =>
      finding('read the price', async () =>
        priceOf(await stripe.prices.retrieve(id, { expand: ['tiers'] }, repeatable)),
      ),

    addPrice: (price, attempt) =>
      asking('create the price', async () =>
        priceOf(await stripe.prices.create(paramsOf(price), { idempotencyKey: attempt, ...repeatable })),
      ),
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
    lookupKey: price.lookup_key ?? null,
    productId: typeof price.product === 'string' ? price.product : price.product.id,
    meterId: recurring.meter ?? null,
    active: price.active,
    currency: price.currency,
    interval: intervalOf(recurring.interval),
    intervalCount: recurring.interval_count,
    unitAmountMinor: price.unit_amount_decimal?.toString() ?? price.unit_amount?.toString() ?? null,
    tiersMode: (['graduated', 'volume'] as const).find((mode) => mode === price.tiers_mode) ?? null,
    terms: termsOf(price),
  };
}

function termsOf(price: Stripe.Price): PriceTerms {
  return {
    billing_scheme: price.billing_scheme,
    tiers_mode: price.tiers_mode ?? null,
    transform_quantity: price.transform_quantity ?? null,
    unit_amount_decimal: price.unit_amount_decimal?.toString() ?? price.unit_amount?.toString() ?? null,
    tiers: (price.tiers ?? []).map((tier) => ({
      up_to: tier.up_to,
      unit_amount_decimal: tier.unit_amount_decimal?.toString() ?? tier.unit_amount?.toString() ?? null,
      flat_amount_decimal: tier.flat_amount_decimal?.toString() ?? tier.flat_amount?.toString() ?? null,
    })),
  };
}
