/** `/v1/products`. */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, noSuch, notFound } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { listObjects, pageParameters } from '../pagination.js';
import { createdRange, emptyable, flag, mergeMetadata, metadata, oneOf, text } from '../parameters.js';
import { type Route, route } from '../router.js';
import { updateObject } from '../update-object.js';

const images = z.array(text()).max(8, 'You may only specify up to 8 images.');
const descriptor = text({ max: 22 });
const marketingFeatures = z
  .array(z.strictObject({ name: text({ max: 80 }) }))
  .max(15, 'You may only specify up to 15 marketing features.');

/** What a new product takes, also inside `product_data` of a price. */
export const productParameters = {
  id: text().optional(),
  name: text(),
  active: flag().default(true),
  metadata: metadata().optional(),
  statement_descriptor: descriptor.optional(),
  tax_code: text().optional(),
  unit_label: text({ max: 12 }).optional(),
};

const createParameters = z.strictObject({
  ...productParameters,
  description: text().optional(),
  images: images.optional(),
  marketing_features: marketingFeatures.optional(),
  shippable: flag().optional(),
  type: oneOf(['good', 'service']).default('service'),
  url: text().optional(),
});

const updateParameters = z.strictObject({
  active: flag().optional(),
  default_price: text().optional(),
  description: emptyable(text()).optional(),
  images: emptyable(images).optional(),
  marketing_features: emptyable(marketingFeatures).optional(),
  metadata: metadata().optional(),
  name: text().optional(),
  shippable: flag().optional(),
  statement_descriptor: descriptor.optional(),
  tax_code: emptyable(text()).optional(),
  unit_label: emptyable(text({ max: 12 })).optional(),
  url: emptyable(text()).optional(),
});

const listParameters = z.strictObject({
  ...pageParameters,
  active: flag().optional(),
  created: createdRange().optional(),
  ids: z.array(text()).optional(),
  shippable: flag().optional(),
  type: oneOf(['good', 'service']).optional(),
  url: text().optional(),
});

type NewProduct = Partial<z.output<typeof createParameters>> & { name: string };

/** Makes a product. Throws when its id is taken. */
export function createProduct(account: Account, parameters: NewProduct): Stored<'product'> {
  const { id = account.newId('prod') } = parameters;
  if (account.objects.get('product', id)) {
    throw new ApiError('Product already exists.', { code: 'resource_already_exists', param: 'id' });
  }
  const now = account.clock.nowSec();
  const product = account.objects.put('product', {
    id,
    object: 'product',
    active: parameters.active ?? true,
    created: now,
    default_price: null,
    description: parameters.description ?? null,
    images: parameters.images ?? [],
    livemode: false,
    marketing_features: parameters.marketing_features ?? [],
    metadata: mergeMetadata({}, parameters.metadata),
    name: parameters.name,
    package_dimensions: null,
    shippable: parameters.shippable ?? null,
    statement_descriptor: parameters.statement_descriptor ?? null,
    tax_code: parameters.tax_code ?? null,
    tax_details: null,
    type: parameters.type ?? 'service',
    unit_label: parameters.unit_label ?? null,
    updated: now,
    url: parameters.url ?? null,
  });
  account.emit('product.created', product);
  return product;
}

function productOf(account: Account, id: string): Stored<'product'> {
  const product = account.objects.get('product', id);
  if (!product) throw notFound('product', id);
  return product;
}

function updateProduct(
  account: Account,
  id: string,
  change: z.output<typeof updateParameters>,
): Stored<'product'> {
  const before = productOf(account, id);
  const { default_price: defaultPrice, images: pictures, marketing_features: features, ...rest } = change;
  if (defaultPrice !== undefined && account.objects.get('price', defaultPrice)?.product !== id)
    throw noSuch('price', defaultPrice, 'default_price');
  const after = {
    ...before,
    ...withoutUndefined(rest),
    ...(defaultPrice === undefined ? {} : { default_price: defaultPrice }),
    ...(pictures === undefined ? {} : { images: pictures ?? [] }),
    ...(features === undefined ? {} : { marketing_features: features ?? [] }),
    metadata: mergeMetadata(before.metadata, change.metadata),
  };
  if (JSON.stringify(after) === JSON.stringify(before)) return before;
  const updated = { ...after, updated: account.clock.nowSec() };
  return updateObject(account, 'product', before, updated, 'product.updated');
}

/** The fields that were given: an absent parameter changes nothing. */
export function withoutUndefined<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Fields]?: Exclude<Fields[Key], undefined>;
  };
}

/** Products. */
export const productRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/products',
    parameters: createParameters,
    handle: (account, { parameters }) => createProduct(account, parameters),
  }),
  route({
    method: 'get',
    path: '/v1/products',
    parameters: listParameters,
    handle(account, request) {
      const { active, created, ids, shippable, type, url } = request.parameters;
      return listObjects(account, 'product', request, {
        created,
        fields: { active, shippable, type, url },
        ...(ids ? { where: (product) => ids.includes(product.id) } : {}),
      });
    },
  }),
  route({
    method: 'get',
    path: '/v1/products/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => productOf(account, path.id),
  }),
  route({
    method: 'post',
    path: '/v1/products/:id',
    parameters: updateParameters,
    handle: (account, { path, parameters }) => updateProduct(account, path.id, parameters),
  }),
  route({
    method: 'delete',
    path: '/v1/products/:id',
    parameters: z.strictObject({}),
    handle(account, { path }) {
      const product = productOf(account, path.id);
      const prices = account.objects.list('price', { fields: { product: product.id } }, { limit: 1 });
      if (prices.data.length > 0) {
        throw new ApiError('This product cannot be deleted because it has one or more user-created prices.');
      }
      account.objects.remove('product', product.id);
      account.emit('product.deleted', product);
      return { id: product.id, object: 'product', deleted: true };
    },
  }),
];
