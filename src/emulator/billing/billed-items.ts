/** Items as callers name them, checked: the price exists, recurs and is active, and its quantity is where it may be. */

import type { Account } from '../account.js';
import { ApiError, missing, noSuch } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { itemsMax, type NewItem } from './subscription.js';

/** An item of a request. */
export interface AskedItem {
  price?: string | undefined;
  quantity?: number | undefined;
  metadata?: Record<string, string> | null | undefined;
}

/** The items to subscribe to. Throws Stripe's error for the first that cannot be billed. */
export function newItems(account: Account, asked: AskedItem[] | undefined): NewItem[] {
  if (asked === undefined || asked.length === 0) throw missing('items');
  if (asked.length > itemsMax) {
    throw new ApiError(`A subscription may have at most ${itemsMax} items.`, { param: 'items' });
  }
  const items = asked.map((item, index) => newItem(account, item, `items[${index}]`));
  if (new Set(items.map((item) => item.price.currency)).size > 1) {
    throw new ApiError('All prices of a subscription must be in the same currency.', { param: 'items' });
  }
  if (new Set(items.map((item) => item.price.id)).size < items.length) {
    throw new ApiError('A subscription cannot have the same price in two of its items.', { param: 'items' });
  }
  return items;
}

/** One item. `param` names it in errors. */
export function newItem(account: Account, asked: AskedItem, param: string): NewItem {
  if (asked.price === undefined) throw missing(`${param}[price]`);
  const price = recurringPrice(account, asked.price, `${param}[price]`);
  const metered = price.recurring?.usage_type === 'metered';
  if (metered && asked.quantity !== undefined) throw quantityOnMetered(`${param}[quantity]`);
  return { price, quantity: metered ? undefined : (asked.quantity ?? 1), metadata: asked.metadata ?? {} };
}

/** The price to bill by. Throws when it is unknown, inactive or does not recur. */
export function recurringPrice(account: Account, id: string, param: string): Stored<'price'> {
  const price = account.objects.get('price', id);
  if (!price) throw noSuch('price', id, param);
  if (!price.active) {
    throw new ApiError('The price specified is inactive. This field only accepts active prices.', { param });
  }
  if (!price.recurring) {
    throw new ApiError(
      'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
      { param },
    );
  }
  return price;
}

/** Usage is metered, not set. */
export function quantityOnMetered(param: string): ApiError {
  return new ApiError('You cannot set the quantity for metered plans.', { param });
}
