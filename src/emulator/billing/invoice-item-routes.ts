/** `/v1/invoiceitems`: single amounts for a customer's next invoice. */

import { z } from 'zod';
import { decimal, plain, roundHalfUp } from '../../lib/decimal.js';
import type { Account } from '../account.js';
import { ApiError, missing, noSuch, notFound } from '../api-error.js';
import { currency } from '../catalog/currencies.js';
import { listObjects, pageParameters } from '../pagination.js';
import { createdRange, decimalText, integer, mergeMetadata, metadata, text } from '../parameters.js';
import { type Route, route } from '../router.js';
import type { InvoiceItem } from './invoice-item.js';
import { timeOf } from './timeline.js';

const createParameters = z.strictObject({
  amount: integer().optional(),
  currency: currency().optional(),
  customer: text(),
  description: text().optional(),
  metadata: metadata().optional(),
  period: z.strictObject({ start: integer({ min: 0 }), end: integer({ min: 0 }) }).optional(),
  quantity: integer({ min: 0 }).optional(),
  subscription: text().optional(),
  unit_amount_decimal: decimalText({ places: 12 }).optional(),
});

function create(account: Account, asked: z.output<typeof createParameters>): InvoiceItem {
  const customer = account.objects.get('customer', asked.customer);
  if (!customer) throw noSuch('customer', asked.customer, 'customer');
  const { subscription } = asked;
  if (subscription !== undefined && !account.objects.get('subscription', subscription)) {
    throw noSuch('subscription', subscription, 'subscription');
  }
  if (asked.currency === undefined) throw missing('currency');
  const now = timeOf(account, customer.test_clock);
  const { amount, unit, quantity } = amountOf(asked);
  const item: InvoiceItem = {
    id: account.newId('ii'),
    object: 'invoiceitem',
    amount,
    currency: asked.currency,
    customer: customer.id,
    customer_account: null,
    date: now,
    description: asked.description ?? null,
    discountable: true,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: mergeMetadata({}, asked.metadata),
    net_amount: amount,
    parent: subscription ? { subscription_details: { subscription }, type: 'subscription_details' } : null,
    period: asked.period ?? { start: now, end: now },
    pricing: { type: 'price_details', unit_amount_decimal: unit },
    proration: false,
    quantity,
    quantity_decimal: String(quantity),
    tax_rates: [],
    test_clock: customer.test_clock ?? null,
  };
  account.objects.put('invoice_item', item);
  account.emit('invoiceitem.created', item);
  return item;
}

function amountOf(asked: z.output<typeof createParameters>): {
  amount: number;
  unit: string;
  quantity: number;
} {
  const { amount, unit_amount_decimal: unit, quantity = 1 } = asked;
  if (amount !== undefined) {
    if (unit !== undefined || asked.quantity !== undefined) {
      throw new ApiError('You may only specify `amount`, or `unit_amount_decimal` and `quantity`.', {
        param: 'amount',
      });
    }
    return { amount, unit: String(amount), quantity: 1 };
  }
  if (unit === undefined) throw missing('amount');
  return { amount: Number(plain(roundHalfUp(decimal(unit).times(quantity)))), unit, quantity };
}

function itemById(account: Account, id: string): InvoiceItem {
  const item = account.objects.get('invoice_item', id);
  if (!item) throw notFound('invoice_item', id);
  return item;
}

/** Invoice items. */
export const invoiceItemRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/invoiceitems',
    parameters: createParameters,
    handle: (account, { parameters }) => create(account, parameters),
  }),
  route({
    method: 'get',
    path: '/v1/invoiceitems',
    parameters: z.strictObject({
      ...pageParameters,
      created: createdRange().optional(),
      customer: text().optional(),
      invoice: text().optional(),
    }),
    handle(account, request) {
      const { created, customer, invoice } = request.parameters;
      return listObjects(account, 'invoice_item', request, { created, fields: { customer, invoice } });
    },
  }),
  route({
    method: 'get',
    path: '/v1/invoiceitems/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => itemById(account, path.id),
  }),
  route({
    method: 'delete',
    path: '/v1/invoiceitems/:id',
    parameters: z.strictObject({}),
    handle(account, { path }) {
      const item = itemById(account, path.id);
      if (item.invoice !== null) {
        throw new ApiError('This invoice item is on an invoice and can no longer be deleted.', {
          code: 'invoice_not_editable',
        });
      }
      account.objects.remove('invoice_item', item.id);
      account.emit('invoiceitem.deleted', item);
      return { id: item.id, object: 'invoiceitem', deleted: true };
    },
  }),
];
