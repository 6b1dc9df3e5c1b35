/** What a price may say: amounts, tiers, packages and recurrence, with Stripe's refusals (stripe-facts 1 and 4). */

import type { z } from 'zod';
import { decimal, plain } from '../../lib/decimal.js';
import type { Account } from '../account.js';
import { ApiError, exclusive, missing, noSuch } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import type { createParameters, tierParameters } from './price-parameters.js';

type NewPrice = z.output<typeof createParameters>;
type NewTier = z.output<typeof tierParameters>;
type Tier = NonNullable<Stored<'price'>['tiers']>[number];

/** What a price costs. */
export type Amounts = Pick<
  Stored<'price'>,
  'billing_scheme' | 'tiers_mode' | 'transform_quantity' | 'unit_amount' | 'unit_amount_decimal'
> & { tiers?: Tier[] };

/** The amounts a new price asks for. Throws on a combination that Stripe refuses. */
export function amountsOf(price: NewPrice): Amounts {
  return price.billing_scheme === 'tiered' ? tieredAmounts(price) : perUnitAmounts(price);
}

function perUnitAmounts(price: NewPrice): Amounts {
  for (const param of ['tiers', 'tiers_mode'] as const) {
    if (price[param] !== undefined) {
      throw new ApiError(`You must set \`billing_scheme=tiered\` to use \`${param}\`.`, { param });
    }
  }
  const amount = amountPair(price.unit_amount, price.unit_amount_decimal, 'unit_amount');
  if (amount === undefined) {
    throw new ApiError(
      'Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set when `billing_scheme` is `per_unit`.',
      { code: 'parameter_missing', param: 'unit_amount' },
    );
  }
  return {
    billing_scheme: 'per_unit',
    tiers_mode: null,
    transform_quantity: price.transform_quantity ?? null,
    unit_amount: amount.whole,
    unit_amount_decimal: amount.exact,
  };
}

function tieredAmounts(price: NewPrice): Amounts {
  for (const param of ['unit_amount', 'unit_amount_decimal', 'transform_quantity'] as const) {
    if (price[param] !== undefined) {
      throw new ApiError(`You cannot set \`${param}\` when \`billing_scheme=tiered\`.`, { param });
    }
  }
  if (price.tiers === undefined) throw missing('tiers');
  if (price.tiers_mode === undefined) throw missing('tiers_mode');
  if (price.recurring === undefined) {
    throw new ApiError('`billing_scheme=tiered` is only supported for recurring prices.', {
      param: 'billing_scheme',
    });
  }
  return {
    billing_scheme: 'tiered',
    tiers: tiersOf(price.tiers),
    tiers_mode: price.tiers_mode,
    transform_quantity: null,
    unit_amount: null,
    unit_amount_decimal: null,
  };
}

/** Tiers must rise, each must cost something nameable, and the last must be open. */
function tiersOf(tiers: NewTier[]): Tier[] {
  let below = 0;
  return tiers.map((tier, index) => {
    const name = `tiers[${index}]`;
    const last = index === tiers.length - 1;
    if (last !== (tier.up_to === 'inf')) {
      throw new ApiError(
        'The last tier in `tiers` must be a fallback tier: its `up_to` must be `inf`, and that of no other.',
        { param: `${name}[up_to]` },
      );
    }
    if (tier.up_to !== 'inf') {
      if (tier.up_to <= below) {
        throw new ApiError('The `up_to` values of `tiers` must increase from tier to tier.', {
          param: `${name}[up_to]`,
        });
      }
      below = tier.up_to;
    }
    const unit = amountPair(tier.unit_amount, tier.unit_amount_decimal, `${name}[unit_amount]`);
    const flat = amountPair(tier.flat_amount, tier.flat_amount_decimal, `${name}[flat_amount]`);
    if (!unit && !flat) {
      throw new ApiError('Each tier must have a `unit_amount` or a `flat_amount`.', { param: name });
    }
    return {
      flat_amount: flat?.whole ?? null,
      flat_amount_decimal: flat?.exact ?? null,
      unit_amount: unit?.whole ?? null,
      unit_amount_decimal: unit?.exact ?? null,
      up_to: tier.up_to === 'inf' ? null : tier.up_to,
    };
  });
}

/** An amount given as a whole number or as a decimal: both forms, the whole one null where there are fractions. */
function amountPair(
  whole: number | undefined,
  exact: string | undefined,
  param: string,
): { whole: number | null; exact: string } | undefined {
  if (whole !== undefined && exact !== undefined)
    throw exclusive(param, param.replace(/(\]?)$/, '_decimal$1'));
  const given = whole ?? exact;
  if (given === undefined) return undefined;
  const value = decimal(given);
  return { whole: value.round(0, 0).eq(value) ? value.toNumber() : null, exact: plain(value) };
}

/** Stripe: at most three years between bills. */
const intervalsMax: Record<string, number> = { day: 1095, week: 156, month: 36, year: 3 };

/** How a new price recurs. Throws unless a metered price is backed by an active meter, and a licensed one by none. */
export function recurringOf(
  account: Account,
  recurring: NonNullable<NewPrice['recurring']>,
): NonNullable<Stored<'price'>['recurring']> {
  const { interval, interval_count: count, meter, usage_type: usageType } = recurring;
  if (count > (intervalsMax[interval] ?? 0)) {
    throw new ApiError('The maximum interval allowed is three years (3 years, 36 months, or 156 weeks).', {
      param: 'recurring[interval_count]',
    });
  }
  if (usageType === 'metered') {
    if (meter === undefined) {
      throw new ApiError(
        'Starting with Stripe version 2025-03-31.basil, metered prices must be backed by meters.',
        { param: 'recurring[meter]' },
      );
    }
    const found = account.objects.get('meter', meter);
    if (!found) throw noSuch('meter', meter, 'recurring[meter]');
    if (found.status !== 'active') {
      throw new ApiError(`The meter ${meter} is not active. Reactivate it to use it with a price.`, {
        param: 'recurring[meter]',
      });
    }
  } else if (meter !== undefined) {
    throw new ApiError('`recurring[meter]` can only be set when `recurring[usage_type]` is `metered`.', {
      param: 'recurring[meter]',
    });
  }
  return {
    interval,
    interval_count: count,
    meter: meter ?? null,
    trial_period_days: recurring.trial_period_days ?? null,
    usage_type: usageType,
  };
}
