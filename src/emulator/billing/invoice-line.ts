/** Invoice lines: what an item costs for a period, one line a tier, in the shape invoices have today. */

import { type Decimal, decimal, plain } from '../../lib/decimal.js';
import { type Charge, chargesFor } from '../../lib/pricing.js';
import type { Account } from '../account.js';
import type { Stored } from '../object-kinds.js';
import { intervalWords, moneyWords } from './money-words.js';
import { type Period, periodAt } from './period.js';
import { rhythmOf, type Subscription, type SubscriptionItem } from './subscription.js';

/** What a line needs to know of an item. The price may be one that the item had before. */
export type BilledItem = Pick<SubscriptionItem, 'id' | 'metadata' | 'price' | 'quantity'>;

/** A line of an invoice. */
export type InvoiceLine = Stored<'invoice'>['lines']['data'][number];

/**
 * What a metered item's meter has counted in a period. The second of a cancellation counts in: usage recorded just
 * before, within the same second, would otherwise be on no invoice.
 */
function usageIn(account: Account, subscription: Subscription, item: BilledItem, period: Period): Decimal {
  const meter = account.objects.get('meter', item.price.recurring?.meter ?? '');
  if (!meter) return decimal(0);
  const endSec = period.endSec === subscription.ended_at ? period.endSec + 1 : period.endSec;
  return account.meterUsage({ meter, customer: subscription.customer, startSec: period.startSec, endSec });
}

/** The lines of a metered item for a period: its usage, priced. Stripe: stripe-facts 4 and 7. */
export function usageLines(
  account: Account,
  subscription: Subscription,
  item: BilledItem,
  period: Period,
): InvoiceLine[] {
  const units = usageIn(account, subscription, item, period);
  return chargesFor(item.price, units).map((charge) =>
    lineOf(account, { subscription, item, period, charge, proration: false }),
  );
}

/** The lines of a licensed item for a period, in proportion where the period is not a whole one. */
export function licensedLines(
  account: Account,
  subscription: Subscription,
  item: BilledItem,
  period: Period,
): InvoiceLine[] {
  const whole = periodAt(subscription.billing_cycle_anchor, rhythmOf(item), period.startSec);
  const share = decimal(period.endSec - period.startSec).div(whole.endSec - whole.startSec);
  return chargesFor(item.price, decimal(item.quantity ?? 1)).map((charge) => {
    const amountMinor = share.eq(1) ? charge.amountMinor : inProportion(charge.amountMinor, share);
    return lineOf(account, {
      subscription,
      item,
      period,
      charge: { ...charge, amountMinor },
      proration: false,
    });
  });
}

function inProportion(amountMinor: number, share: Decimal): number {
  return Number(share.times(amountMinor).round(0).toFixed());
}

interface LineFacts {
  subscription: Subscription;
  item: BilledItem;
  period: Period;
  charge: Charge;
  proration: boolean;
}

function lineOf(account: Account, facts: LineFacts): InvoiceLine {
  const { subscription, item, period, charge } = facts;
  const { price } = item;
  return {
    id: account.newId('il'),
    object: 'line_item',
    amount: charge.amountMinor,
    currency: price.currency,
    description: descriptionOf(account, item, charge),
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: item.metadata,
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: facts.proration,
        proration_details: { credited_items: null },
        subscription: subscription.id,
        subscription_item: item.id,
      },
      type: 'subscription_item_details',
    },
    period: { start: period.startSec, end: period.endSec },
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: price.id, product: price.product },
      type: 'price_details',
      unit_amount_decimal: charge.unitAmount && plain(charge.unitAmount),
    },
    quantity: Math.trunc(Number(plain(charge.quantity))),
    quantity_decimal: plain(charge.quantity),
    subscription: subscription.id,
    subtotal: charge.amountMinor,
    taxes: [],
  };
}

/**
 * The words of real invoices: `1000 credit × Usage (Tier 1 at $0.00 / month)`, `3 × API calls (at $1.00 / month)`; a flat fee
 * names no quantity.
 */
function descriptionOf(account: Account, item: BilledItem, charge: Charge): string {
  const { price } = item;
  const product = account.objects.get('product', price.product);
  const name = product?.name ?? price.product;
  const amount = moneyWords(charge.unitAmount ?? charge.amountMinor, price.currency);
  const packages = price.transform_quantity ? ` per ${price.transform_quantity.divide_by} units` : '';
  const tier = charge.tier === null ? '' : `Tier ${charge.tier} `;
  const terms = `(${tier}at ${amount}${packages} / ${intervalWords(rhythmOf(item))})`;
  if (charge.unitAmount === null) return `${name} ${terms}`;
  const unit = product?.unit_label ? ` ${product.unit_label}` : '';
  return `${plain(charge.quantity)}${unit} × ${name} ${terms}`;
}
