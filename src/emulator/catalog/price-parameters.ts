/** The parameters of prices. */

import { z } from 'zod';
import { pageParameters } from '../pagination.js';
import { createdRange, decimalText, flag, integer, metadata, oneOf, refuse, text } from '../parameters.js';
import { currency } from './currencies.js';
import { productParameters } from './products.js';

const amount = integer({ min: 0 });
/** Stripe: "a decimal value in cents with at most 12 decimal places". */
const exactAmount = decimalText({ places: 12, min: 0 });
const lookupKey = text({ max: 200 });
const interval = oneOf(['day', 'month', 'week', 'year']);
const usageType = oneOf(['licensed', 'metered']);
const taxBehavior = oneOf(['exclusive', 'inclusive', 'unspecified']);

const upTo = z.string().transform((raw, context): number | 'inf' => {
  if (raw === 'inf') return 'inf';
  if (/^[1-9]\d{0,14}$/.test(raw)) return Number(raw);
  refuse(context, 'parameter_invalid_integer', () => `Invalid integer: ${raw.slice(0, 40)}`);
  return z.NEVER;
});

/** One tier. */
export const tierParameters = z.strictObject({
  flat_amount: amount.optional(),
  flat_amount_decimal: exactAmount.optional(),
  unit_amount: amount.optional(),
  unit_amount_decimal: exactAmount.optional(),
  up_to: upTo,
});

/** `POST /v1/prices`. */
export const createParameters = z.strictObject({
  active: flag().default(true),
  billing_scheme: oneOf(['per_unit', 'tiered']).default('per_unit'),
  currency: currency(),
  lookup_key: lookupKey.optional(),
  metadata: metadata().optional(),
  nickname: text().optional(),
  product: text().optional(),
  product_data: z.strictObject(productParameters).optional(),
  recurring: z
    .strictObject({
      interval,
      interval_count: integer({ min: 1 }).default(1),
      meter: text().optional(),
      trial_period_days: integer({ min: 0, max: 730 }).optional(),
      usage_type: usageType.default('licensed'),
    })
    .optional(),
  tax_behavior: taxBehavior.default('unspecified'),
  tiers: z.array(tierParameters).min(1).optional(),
  tiers_mode: oneOf(['graduated', 'volume']).optional(),
  transfer_lookup_key: flag().default(false),
  transform_quantity: z
    .strictObject({ divide_by: integer({ min: 1 }), round: oneOf(['up', 'down']) })
    .optional(),
  unit_amount: amount.optional(),
  unit_amount_decimal: exactAmount.optional(),
});

/** `POST /v1/prices/:id`. Amounts, the meter and the interval of a price never change. */
export const updateParameters = z.strictObject({
  active: flag().optional(),
  lookup_key: lookupKey.optional(),
  metadata: metadata().optional(),
  nickname: text().optional(),
  tax_behavior: taxBehavior.optional(),
  transfer_lookup_key: flag().default(false),
});

/** `GET /v1/prices`. */
export const listParameters = z.strictObject({
  ...pageParameters,
  active: flag().optional(),
  created: createdRange().optional(),
  currency: currency().optional(),
  lookup_keys: z.array(text()).max(10, 'You may only specify up to 10 lookup_keys.').optional(),
  product: text().optional(),
  recurring: z
    .strictObject({
      interval: interval.optional(),
      meter: text().optional(),
      usage_type: usageType.optional(),
    })
    .optional(),
  type: oneOf(['one_time', 'recurring']).optional(),
});
