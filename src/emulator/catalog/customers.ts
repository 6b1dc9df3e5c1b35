/** `/v1/customers`. */

import { z } from 'zod';
import type { Account } from '../account.js';
import { noSuch, notFound } from '../api-error.js';
import { endSubscriptionsOf } from '../billing/cancellation.js';
import { attachPaymentMethod } from '../billing/payment-method.js';
import type { Stored } from '../object-kinds.js';
import { listObjects } from '../pagination.js';
import { mergeMetadata } from '../parameters.js';
import { type Route, route } from '../router.js';
import { updateObject } from '../update-object.js';
import { createParameters, listParameters, updateParameters } from './customer-parameters.js';
import { withoutUndefined } from './products.js';

type NewCustomer = z.output<typeof createParameters>;
type InvoiceSettings = Stored<'customer'>['invoice_settings'];

/** A field of a customer when it has a value. */
type Given<Field extends keyof Stored<'customer'>> = NonNullable<Stored<'customer'>[Field]>;

const noInvoiceSettings: InvoiceSettings = {
  custom_fields: null,
  default_payment_method: null,
  footer: null,
  rendering_options: null,
};

/** Makes a customer; also for Checkout, which makes one where none is given (stripe-facts 5). */
export function createCustomer(account: Account, parameters: NewCustomer): Stored<'customer'> {
  const { invoice_settings: settings, payment_method: method, test_clock: testClock, ...rest } = parameters;
  if (testClock !== undefined && !account.objects.get('test_clock', testClock))
    throw noSuch('test_clock', testClock, 'test_clock');
  const id = account.newId('cus');
  const prefix = id.slice(-8).toUpperCase();
  const customer = account.objects.put('customer', {
    id,
    object: 'customer',
    address: addressOf(rest.address),
    balance: rest.balance ?? 0,
    created: account.clock.nowSec(),
    currency: null,
    default_source: null,
    delinquent: false,
    description: rest.description ?? null,
    discount: null,
    email: rest.email ?? null,
    invoice_prefix: rest.invoice_prefix ?? prefix,
    invoice_settings: noInvoiceSettings,
    livemode: false,
    metadata: mergeMetadata({}, rest.metadata),
    name: rest.name ?? null,
    next_invoice_sequence: rest.next_invoice_sequence ?? 1,
    phone: rest.phone ?? null,
    preferred_locales: rest.preferred_locales ?? [],
    shipping: shippingOf(rest.shipping),
    tax_exempt: rest.tax_exempt ?? 'none',
    test_clock: testClock ?? null,
  });
  account.emit('customer.created', customer);
  if (method !== undefined) {
    const found = account.objects.get('payment_method', method);
    if (!found) throw noSuch('payment_method', method, 'payment_method');
    attachPaymentMethod(account, found, id);
  }
  if (settings === undefined) return customer;
  return account.objects.put('customer', {
    ...customer,
    invoice_settings: settingsOf(account, customer, settings),
  });
}

/** The customer, or Stripe's stub of one that was deleted. Throws 404 when there never was one. */
function customerOf(account: Account, id: string): Stored<'customer'> | Stored<'deleted_customer'> {
  const customer = account.objects.get('customer', id) ?? account.objects.get('deleted_customer', id);
  if (!customer) throw notFound('customer', id);
  return customer;
}

/** The customer. Throws 404 when it is deleted. */
function liveCustomer(account: Account, id: string): Stored<'customer'> {
  const customer = account.objects.get('customer', id);
  if (!customer) throw notFound('customer', id);
  return customer;
}

function updateCustomer(
  account: Account,
  id: string,
  change: z.output<typeof updateParameters>,
): Stored<'customer'> {
  const before = liveCustomer(account, id);
  const { address, shipping, metadata, invoice_settings: settings, ...rest } = change;
  const after: Stored<'customer'> = {
    ...before,
    ...withoutUndefined(rest),
    ...(address === undefined ? {} : { address: addressOf(address) }),
    ...(shipping === undefined ? {} : { shipping: shippingOf(shipping) }),
    ...(settings === undefined ? {} : { invoice_settings: settingsOf(account, before, settings) }),
    metadata: mergeMetadata(before.metadata, metadata),
  };
  return updateObject(account, 'customer', before, after, 'customer.updated');
}

/** Invoice settings after a change. A default payment method must be attached to the customer. */
function settingsOf(
  account: Account,
  customer: Stored<'customer'>,
  change: NonNullable<NewCustomer['invoice_settings']>,
): InvoiceSettings {
  const method = change.default_payment_method;
  if (typeof method === 'string' && account.objects.get('payment_method', method)?.customer !== customer.id)
    throw noSuch('payment_method', method, 'invoice_settings[default_payment_method]');
  return { ...customer.invoice_settings, ...withoutUndefined(change) };
}

function addressOf(address: NewCustomer['address']): Given<'address'> | null {
  if (!address) return null;
  const { city, country, line1, line2, postal_code: postalCode, state } = address;
  return {
    city: city ?? null,
    country: country ?? null,
    line1: line1 ?? null,
    line2: line2 ?? null,
    postal_code: postalCode ?? null,
    state: state ?? null,
  };
}

function shippingOf(shipping: NewCustomer['shipping']): Given<'shipping'> | null {
  if (!shipping) return null;
  const address = addressOf(shipping.address);
  return { ...(address ? { address } : {}), name: shipping.name, phone: shipping.phone ?? null };
}

/** Customers. */
export const customerRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/customers',
    parameters: createParameters,
    handle: (account, { parameters }) => createCustomer(account, parameters),
  }),
  route({
    method: 'get',
    path: '/v1/customers',
    parameters: listParameters,
    handle(account, request) {
      const { created, email, test_clock: testClock } = request.parameters;
      return listObjects(account, 'customer', request, {
        created,
        fields: { email, test_clock: testClock },
        // Customers on a test clock show only when it is asked for (stripe-facts 9).
        ...(testClock === undefined ? { where: (customer) => customer.test_clock === null } : {}),
      });
    },
  }),
  route({
    method: 'get',
    path: '/v1/customers/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => customerOf(account, path.id),
  }),
  route({
    method: 'post',
    path: '/v1/customers/:id',
    parameters: updateParameters,
    handle: (account, { path, parameters }) => updateCustomer(account, path.id, parameters),
  }),
  route({
    method: 'delete',
    path: '/v1/customers/:id',
    parameters: z.strictObject({}),
    handle(account, { path }) {
      const customer = liveCustomer(account, path.id);
      endSubscriptionsOf(account, customer.id);
      account.objects.remove('customer', customer.id);
      const stub = account.objects.put('deleted_customer', {
        id: customer.id,
        object: 'customer',
        deleted: true,
      });
      account.emit('customer.deleted', customer);
      return stub;
    },
  }),
];
