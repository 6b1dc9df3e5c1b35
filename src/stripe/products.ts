/** Products. */

import type Stripe from 'stripe';
import type { CatalogBilling } from '../domain/billing.js';
import type { Product } from '../domain/catalog.js';
import { repeatable } from './client.js';
import { asking, finding } from './errors.js';

/** Products through this client. */
export function createProducts(stripe: Stripe): Pick<CatalogBilling, 'findProduct' | 'addProduct'> {
  return {
    findProduct: (id) =>
      finding('read the product', async () => productOf(await stripe.products.retrieve(id, {}, repeatable))),

    addProduct: ({ id, name, unitLabel }, attempt) =>
      asking('create the product', async () =>
        productOf(
          await stripe.products.create(
            { id, name, unit_label: unitLabel },
            { idempotencyKey: attempt, ...repeatable },
          ),
        ),
      ),
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
