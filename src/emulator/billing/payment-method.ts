/** Payment methods of customers: made, attached, chosen and charged. No money moves. */

import type { Account } from '../account.js';
import { ApiError } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { updateObject } from '../update-object.js';
import { type Failure, last4Of, type TestPaymentMethod, testMethodByLast4 } from './test-payment-methods.js';

/** A stored payment method. */
export type PaymentMethod = Stored<'payment_method'>;

/** Makes a payment method of a test card or test bank account, attached to nobody yet. */
export function createPaymentMethod(
  account: Account,
  method: TestPaymentMethod,
  owner: { name: string | null; email: string | null } = { name: null, email: null },
): PaymentMethod {
  const now = account.clock.nowSec();
  const base: PaymentMethod = {
    id: account.newId('pm'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: { address: null, email: owner.email, name: owner.name, phone: null, tax_id: null },
    created: now,
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: method.type,
  };
  const details =
    method.type === 'card' ? { card: cardOf(method, now) } : { us_bank_account: bankAccountOf(method) };
  return account.objects.put('payment_method', { ...base, ...details });
}

/** Ties a payment method to a customer. Throws Stripe's card error where the card refuses that. */
export function attachPaymentMethod(
  account: Account,
  method: PaymentMethod,
  customer: string,
): PaymentMethod {
  if (method.customer === customer) return method;
  if (method.customer !== null) {
    throw new ApiError('The payment method you provided has already been attached to a customer.', {
      code: 'payment_method_unexpected_state',
    });
  }
  const failure = failureOf(method);
  if (failure?.when === 'attach') throw cardError(failure);
  const attached = account.objects.put('payment_method', { ...method, customer });
  account.emit('payment_method.attached', attached);
  return attached;
}

/** Makes a payment method the one that a customer's invoices are charged to. */
export function makeDefault(
  account: Account,
  customer: Stored<'customer'>,
  method: string | null,
): Stored<'customer'> {
  const invoice_settings = { ...customer.invoice_settings, default_payment_method: method };
  return updateObject(account, 'customer', customer, { ...customer, invoice_settings }, 'customer.updated');
}

/** The payment method a subscription's invoices are charged to: its own, else the customer's default. */
export function paymentMethodFor(
  account: Account,
  own: string | null,
  customerId: string,
): PaymentMethod | undefined {
  const customer = account.objects.get('customer', customerId);
  const id = own ?? customer?.invoice_settings.default_payment_method;
  return id ? account.objects.get('payment_method', id) : undefined;
}

/** Tries to take money. Returns why it failed, or undefined when it is paid. */
export function charge(method: PaymentMethod | undefined): Failure | undefined {
  if (method === undefined) {
    return {
      when: 'charge',
      code: 'missing',
      declineCode: null,
      message: 'There is no payment method on file.',
    };
  }
  return failureOf(method) ?? undefined;
}

/** A failed payment as the 402 that Stripe answers. */
export function cardError(failure: Failure): ApiError {
  return new ApiError(failure.message, { status: 402, type: 'card_error', code: failure.code });
}

/** `Visa •••• 4242`, for people. */
export function methodWords(method: PaymentMethod): string {
  const name = method.card
    ? brandWords(method.card.brand)
    : (method.us_bank_account?.bank_name ?? method.type);
  return `${name} •••• ${lastDigits(method) ?? ''}`;
}

/** `Visa`, `Mastercard`. */
export function brandWords(brand: string): string {
  return brand.charAt(0).toUpperCase() + brand.slice(1);
}

/** Takes a payment method away from its customer, for good. */
export function detachPaymentMethod(account: Account, method: PaymentMethod): PaymentMethod {
  const detached = account.objects.put('payment_method', { ...method, customer: null });
  const customer = account.objects.get('customer', method.customer ?? '');
  if (customer?.invoice_settings.default_payment_method === method.id) makeDefault(account, customer, null);
  account.emit('payment_method.detached', detached, { customer: method.customer });
  return detached;
}

function lastDigits(method: PaymentMethod): string | null {
  return method.card?.last4 ?? method.us_bank_account?.last4 ?? null;
}

function failureOf(method: PaymentMethod): Failure | null {
  return testMethodByLast4(method.type, lastDigits(method))?.failure ?? null;
}

function cardOf(method: TestPaymentMethod, nowSec: number): NonNullable<PaymentMethod['card']> {
  return {
    brand: method.brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: 'US',
    display_brand: method.brand,
    exp_month: 12,
    exp_year: new Date(nowSec * 1000).getUTCFullYear() + 3,
    fingerprint: `emulated${last4Of(method)}`,
    funding: 'credit',
    generated_from: null,
    last4: last4Of(method),
    networks: { available: [method.brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: true },
    wallet: null,
  };
}

function bankAccountOf(method: TestPaymentMethod): NonNullable<PaymentMethod['us_bank_account']> {
  return {
    account_holder_type: 'individual',
    account_type: 'checking',
    bank_name: method.brand,
    financial_connections_account: null,
    fingerprint: `emulated${last4Of(method)}`,
    last4: last4Of(method),
    networks: { preferred: 'ach', supported: ['ach'] },
    routing_number: '110000000',
    status_details: null,
  };
}
