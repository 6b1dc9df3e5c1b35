/** What a customer's units cost, as far as it is known here. */

import { priceMark } from '../domain/catalog.js';
import type { Customer } from '../domain/customer.js';
import { minorFromMajor } from '../domain/money.js';
import { currentSubscription } from '../domain/subscription.js';
import { type PriceTerms, perUnitTerms } from '../lib/pricing.js';
import type { Context } from './context.js';

/** The terms that Stripe has told, or those of the configuration. */
export async function findTerms(context: Context, customer: Customer): Promise<PriceTerms> {
  const { catalog, catalogIds } = context.readySettings();
  const priceId = currentSubscription(customer.subscriptions)?.priceId ?? catalogIds.price;
  const stored = await (await context.store()).findMark(priceMark(priceId));
  // Only this program writes the mark, from terms.
  if (stored !== undefined) return JSON.parse(stored) as PriceTerms;
  return perUnitTerms(minorFromMajor(catalog.price, catalog.currency));
}
