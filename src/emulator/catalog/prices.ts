/** `/v1/prices`. */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, exclusive, missing, noSuch, notFound } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { listObjects } from '../pagination.js';
import { mergeMetadata } from '../parameters.js';
import { type Route, route } from '../router.js';
import { updateObject } from '../update-object.js';
import { createParameters, listParameters, updateParameters } from './price-parameters.js';
import { amountsOf, recurringOf } from './price-terms.js';
import { createProduct, withoutUndefined } from './products.js';

type NewPrice = z.output<typeof createParameters>;

function createPrice(account: Account, parameters: NewPrice): Stored<'price'> {
  const amounts = amountsOf(parameters);
  const recurring = parameters.recurring ? recurringOf(account, parameters.recurring) : null;
  const product = productOf(account, parameters);
  const id = account.newId('price');
  if (parameters.lookup_key !== undefined)
    claimLookupKey(account, parameters.lookup_key, id, parameters.transfer_lookup_key);
  const price = account.objects.put('price', {
    id,
    object: 'price',
    active: parameters.active,
    created: account.clock.nowSec(),
    currency: parameters.currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: parameters.lookup_key ?? null,
    metadata: mergeMetadata({}, parameters.metadata),
    nickname: parameters.nickname ?? null,
    product,
    recurring,
    tax_behavior: parameters.tax_behavior,
    type: recurring ? 'recurring' : 'one_time',
    ...amounts,
  });
  account.emit('price.created', price);
  return price;
}

/** The id of the product a new price is of; made here where `product_data` describes it. */
function productOf(account: Account, { product, product_data: data }: NewPrice): string {
  if (product !== undefined && data !== undefined) throw exclusive('product', 'product_data');
  if (data !== undefined) return createProduct(account, withoutUndefined(data) as typeof data).id;
  if (product === undefined) throw missing('product');
  if (!account.objects.get('product', product)) throw noSuch('product', product, 'product');
  return product;
}

/** A lookup key names one price. Throws when another has it, unless it is to be taken from there. */
function claimLookupKey(account: Account, key: string, priceId: string, transfer: boolean): void {
  const [holder] = account.objects.all('price', { fields: { lookup_key: key } });
  if (!holder || holder.id === priceId) return;
  if (!transfer) {
    throw new ApiError(`A price (\`${holder.id}\`) already uses that lookup key.`, { param: 'lookup_key' });
  }
  updateObject(account, 'price', holder, { ...holder, lookup_key: null }, 'price.updated');
}

function priceOf(account: Account, id: string): Stored<'price'> {
  const price = account.objects.get('price', id);
  if (!price) throw notFound('price', id);
  return price;
}

function updatePrice(
  account: Account,
  id: string,
  change: z.output<typeof updateParameters>,
): Stored<'price'> {
  const before = priceOf(account, id);
  const { transfer_lookup_key: transfer, metadata, ...rest } = change;
  if (rest.lookup_key !== undefined) claimLookupKey(account, rest.lookup_key, id, transfer);
  if (rest.active === false && account.objects.get('product', before.product)?.default_price === id) {
    throw new ApiError('This price cannot be archived because it is the default price of its product.', {
      param: 'active',
    });
  }
  if (rest.tax_behavior !== undefined && rest.tax_behavior !== before.tax_behavior) {
    if (before.tax_behavior !== 'unspecified')
      throw new ApiError('Once specified, `tax_behavior` cannot be changed.', { param: 'tax_behavior' });
  }
  const after = {
    ...before,
    ...withoutUndefined(rest),
    metadata: mergeMetadata(before.metadata, metadata),
  };
  return updateObject(account, 'price', before, after, 'price.updated');
}

/** Prices. */
export const priceRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/prices',
    parameters: createParameters,
    handle: (account, { parameters }) => createPrice(account, parameters),
  }),
  route({
    method: 'get',
    path: '/v1/prices',
    parameters: listParameters,
    handle(account, request) {
      const { active, created, currency, lookup_keys: keys, product, recurring, type } = request.parameters;
      return listObjects(account, 'price', request, {
        created,
        fields: {
          active,
          currency,
          product,
          type,
          'recurring.interval': recurring?.interval,
          'recurring.meter': recurring?.meter,
          'recurring.usage_type': recurring?.usage_type,
        },
        ...(keys ? { where: ({ lookup_key: key }) => key !== null && keys.includes(key) } : {}),
      });
    },
  }),
  route({
    method: 'get',
    path: '/v1/prices/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => priceOf(account, path.id),
  }),
  route({
    method: 'post',
    path: '/v1/prices/:id',
    parameters: updateParameters,
    handle: (account, { path, parameters }) => updatePrice(account, path.id, parameters),
  }),
];
