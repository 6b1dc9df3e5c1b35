/** What a quantity costs under a price: per unit, in packages, graduated or volume tiers, in exact decimals. */

import assert from 'node:assert';
import { type Decimal, decimal, roundHalfUp } from './decimal.js';

/** One tier. Amounts are decimals in minor units; `up_to` is the last unit of the tier, `null` in the last one. */
export interface Tier {
  up_to: number | null;
  unit_amount_decimal: string | null;
  flat_amount_decimal: string | null;
}

/** The part of a price that decides amounts, in Stripe's spelling. Stripe: stripe-facts 4. */
export interface PriceTerms {
  billing_scheme: string;
  tiers_mode: string | null;
  tiers?: Tier[];
  transform_quantity: { divide_by: number; round: string } | null;
  unit_amount_decimal: string | null;
}

/** One line's worth of money. A flat fee carries a quantity of 0, as on Stripe's invoices. */
export interface Charge {
  quantity: Decimal;
  /** Minor units for one unit (or one package); `null` on a flat fee. */
  unitAmount: Decimal | null;
  amountMinor: number;
  /** Counted from 1; `null` for a price without tiers. */
  tier: number | null;
}

/**
 * The charges for a whole period's quantity: one for a flat rate; for tiers one a tier, and one more for its flat fee where
 * the price knows flat fees. The quantity is multiplied once and each charge rounded half up to a whole minor unit. A negative
 * quantity (corrections outweigh usage) bills as 0. Stripe: stripe-facts 3a and 4.
 */
export function chargesFor(terms: PriceTerms, units: Decimal): Charge[] {
  const quantity = units.lt(0) ? decimal(0) : units;
  if (terms.billing_scheme !== 'tiered') return [flatRate(terms, quantity)];
  const tiers = terms.tiers ?? [];
  const shares =
    terms.tiers_mode === 'volume' ? volumeShare(tiers, quantity) : graduatedShares(tiers, quantity);
  const hasFlatFees = tiers.some((tier) => tier.flat_amount_decimal !== null);
  return shares.flatMap((share) => {
    const unit = chargeOf(share.quantity, decimal(share.tier.unit_amount_decimal ?? '0'), share.number);
    return hasFlatFees ? [unit, flatFee(share)] : [unit];
  });
}

/** What a price of so much a unit, in minor units, asks for. */
export function perUnitTerms(unitAmountMinor: string): PriceTerms {
  return {
    billing_scheme: 'per_unit',
    tiers_mode: null,
    transform_quantity: null,
    unit_amount_decimal: unitAmountMinor,
  };
}

/** The sum of charges, in minor units. */
export function totalMinor(charges: readonly { amountMinor: number }[]): number {
  return charges.reduce((sum, charge) => sum + charge.amountMinor, 0);
}

interface Share {
  tier: Tier;
  number: number;
  quantity: Decimal;
}

function flatRate(terms: PriceTerms, quantity: Decimal): Charge {
  const unitAmount = decimal(terms.unit_amount_decimal ?? '0');
  const { transform_quantity: transform } = terms;
  if (!transform) return chargeOf(quantity, unitAmount, null);
  const packages = packagesOf(quantity, transform.divide_by, transform.round);
  return { quantity, unitAmount, amountMinor: wholeMinor(packages.times(unitAmount)), tier: null };
}

function packagesOf(quantity: Decimal, size: number, round: string): Decimal {
  const rest = quantity.mod(size);
  const full = quantity.minus(rest).div(size);
  return round === 'up' && rest.gt(0) ? full.plus(1) : full;
}

/** Each tier holds the units between the tier before and its own end. Nothing used still lies in the first tier. */
function graduatedShares(tiers: Tier[], quantity: Decimal): Share[] {
  let below = decimal(0);
  const shares: Share[] = [];
  for (const [index, tier] of tiers.entries()) {
    if (index > 0 && quantity.lte(below)) break;
    const end = tier.up_to === null || quantity.lt(tier.up_to) ? quantity : decimal(tier.up_to);
    shares.push({ tier, number: index + 1, quantity: end.minus(below) });
    below = end;
  }
  return shares;
}

/** All units are billed at the tier that holds the last of them. */
function volumeShare(tiers: Tier[], quantity: Decimal): Share[] {
  const index = tiers.findIndex((tier) => tier.up_to === null || quantity.lte(tier.up_to));
  const tier = tiers[index];
  assert(tier, 'the last tier of a price has no end');
  return [{ tier, number: index + 1, quantity }];
}

function flatFee(share: Share): Charge {
  const amountMinor = wholeMinor(decimal(share.tier.flat_amount_decimal ?? '0'));
  return { quantity: decimal(0), unitAmount: null, amountMinor, tier: share.number };
}

function chargeOf(quantity: Decimal, unitAmount: Decimal, tier: number | null): Charge {
  return { quantity, unitAmount, amountMinor: wholeMinor(quantity.times(unitAmount)), tier };
}

function wholeMinor(amount: Decimal): number {
  const minor = Number(roundHalfUp(amount).toFixed());
  assert(Number.isSafeInteger(minor), 'an amount fits a whole number');
  return minor;
}
